"""Format values for a person. A value that is not available is `Absent`, with the reason, and never zero."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Absent:
    """A missing value and the reason in a few words."""

    reason: str


Value = float | Absent

NOT_READ_YET = Absent("not known yet")
NO_METRIC = Absent("no metrics")
# Shown in place of an absent value: an en dash.
DASH = "\u2013"


def format_count(value: float) -> str:
    """Format a number of things: ``1,204``, ``123k``, ``1.2M``."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e5, "k")):
        if value >= limit:
            scaled = value / (1e3 if unit == "k" else limit)
            return f"{scaled:.1f}{unit}" if scaled < 10 else f"{scaled:.0f}{unit}"
    return f"{value:,.0f}"


def format_brief(value: float) -> str:
    """Format a number of things in at most five characters: ``987``, ``1.2k``, ``12k``, ``1.2M``."""
    if value < 1000:
        return f"{value:.0f}"
    return format_count(value) if value >= 1e5 else f"{value / 1000:.{1 if value < 9950 else 0}f}k"


def format_rate(value: float) -> str:
    """Format a number of things per second: ``1.2/s``, ``240/s``."""
    return f"{value:.1f}/s" if 0 < value < 10 else f"{format_count(value)}/s"


def format_millis(value: float) -> str:
    """Format a duration given in milliseconds: ``12 ms``, ``1.4 s``, ``3 min``."""
    return f"{value:.0f} ms" if value < 1000 else format_seconds(value / 1000)


def format_seconds(seconds: float) -> str:
    """Format a duration given in seconds: ``8 s``, ``3 min``, ``5 h``, ``12 d``."""
    if seconds < 10 and seconds != round(seconds):
        return f"{seconds:.1f} s"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.0f} s"


def format_upper_bound(seconds: float) -> str:
    """Format a duration of which only an upper bound is known: ``≤ 12 s``."""
    return f"≤ {format_seconds(seconds)}"


def format_value(value: Value, formatter: Callable[[float], str]) -> str:
    """Format a value, or return the dash if it is absent."""
    return DASH if isinstance(value, Absent) else formatter(value)
