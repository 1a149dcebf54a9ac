"""Asking the person at the keyboard, or taking the answer that a script gave."""

from __future__ import annotations

from tools.core.console import out
from tools.core.errors import OpsError, UsageError


def confirm(question: str, *, already: bool) -> bool:
    """Whether the answer is yes. ``already``: it was given with AUTO_APPROVE=1. Raises UsageError."""
    if already:
        return True
    try:
        answer = input(f"{question} (y/N) ")
    except EOFError:
        raise UsageError("There is nobody to ask.", "AUTO_APPROVE=1 goes on without asking.") from None
    if answer.strip().lower() in ("y", "yes"):
        return True
    out.print("Nothing was changed.")
    return False


def typed_name(name: str, goes: str) -> str:
    """What somebody types who is asked for the name of what goes. Raises UsageError."""
    try:
        return input(f"{goes} Type {name}: ")
    except EOFError:
        raise UsageError("There is nobody to ask.", f"CONFIRM={name} answers.") from None


def check_name(name: str, typed: str) -> None:
    """Raise OpsError unless that is the name."""
    if typed.strip() != name:
        raise OpsError(f"{typed.strip()!r} is not {name!r}: nothing was removed.")
