"""Progress lines of the commands: a label, then text."""

from collections.abc import Callable

Log = Callable[[str], None]


def labelled(label: str, text: str) -> str:
    """Return a progress line. An empty label continues the line before."""
    return f"{label:<14}{text}"
