"""The errors that the tools print without a traceback."""

from collections.abc import Collection


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
