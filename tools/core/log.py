"""How the commands report what they do: a label, then the rest of the line."""

from collections.abc import Callable

Log = Callable[[str], None]


def labelled(label: str, text: str) -> str:
    """A line of the report. An empty label goes on with what the line before was about."""
    return f"{label:<14}{text}"
