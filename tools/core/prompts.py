"""Ask the user for confirmation, or accept the answer that a script gives."""

from tools.core.console import err
from tools.core.errors import ToolError, UsageError


def confirm(question: str, *, already: bool) -> bool:
    """Return whether the answer is yes. With ``already`` (AUTO_APPROVE=1) do not ask. Raises UsageError."""
    if already:
        return True
    try:
        answer = _read_answer(f"{question} (y/N) ")
    except EOFError:
        raise UsageError(
            "There is no terminal to ask on.", "AUTO_APPROVE=1 continues without asking."
        ) from None
    if answer.strip().lower() in ("y", "yes"):
        return True
    err.print("Nothing was done.")
    return False


def typed_name(name: str, warning: str) -> str:
    """Ask the user to type the name of the environment to remove. Raises UsageError."""
    try:
        return _read_answer(f"{warning} Type {name}: ")
    except EOFError:
        raise UsageError("There is no terminal to ask on.", f"CONFIRM={name} confirms.") from None


def check_name(name: str, typed: str) -> None:
    """Raise ToolError unless ``typed`` is the name."""
    if typed.strip() != name:
        raise ToolError(f"{typed.strip()!r} is not {name!r}: nothing was removed.")


def _read_answer(question: str) -> str:
    # On standard error, because standard output may be a file.
    err.print(question, end="")
    return input("")
