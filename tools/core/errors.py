"""The errors that the tools print without a traceback."""

from collections.abc import Collection, Mapping


class ToolError(Exception):
    """An error that the user can fix: what failed and why. ``hint`` says what to type next."""

    def __init__(self, message: str, hint: str = "", *, status: int = 1) -> None:
        super().__init__(message)
        self.hint = hint
        self.status = status


class UsageError(ToolError):
    """The command got a wrong argument. Its exit status is 2, as argparse's."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint, status=2)


def require_known(variable: str, value: str | None, known: Collection[str]) -> None:
    """Raise UsageError if a variable of make is given and is not a known value."""
    if value is not None and value not in known:
        raise UsageError(f"{variable}={value} is unknown.", f"{variable} is one of {', '.join(known)}.")


def is_on(environment: Mapping[str, str], variable: str) -> bool:
    """Return whether a variable of make is 1. Raises UsageError if it is neither 1 nor 0 nor empty."""
    value = environment.get(variable) or "0"
    if value not in ("0", "1"):
        raise UsageError(f"{variable}={value} is neither 1 nor 0.")
    return value == "1"
