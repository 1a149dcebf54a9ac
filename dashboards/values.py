"""Figures as a person reads them. One that cannot be had is `Absent`, with the reason, and never zero."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Absent:
    """No figure, and why not, in a few words."""

    reason: str


Value = float | Absent

WAITING = Absent("not known yet")
NO_METRIC = Absent("no metrics")
# What stands in a figure's place where there is none: an en dash.
DASH = "\u2013"


def count(value: float) -> str:
    """A number of things: ``1,204``, ``123k``, ``1.2M``."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e5, "k")):
        if value >= limit:
            scaled = value / (1e3 if unit == "k" else limit)
            return f"{scaled:.1f}{unit}" if scaled < 10 else f"{scaled:.0f}{unit}"
    return f"{value:,.0f}"


def brief(value: float) -> str:
    """A number of things in five characters: ``987``, ``1.2k``, ``12k``, ``1.2M``."""
    if value < 1000:
        return f"{value:.0f}"
    return count(value) if value >= 1e5 else f"{value / 1000:.{1 if value < 9950 else 0}f}k"


def rate(value: float) -> str:
    """Things a second: ``1.2/s``, ``240/s``."""
    return f"{value:.1f}/s" if 0 < value < 10 else f"{count(value)}/s"


def millis(value: float) -> str:
    """A duration given in milliseconds: ``12 ms``, ``1.4 s``, ``3 min``."""
    return f"{value:.0f} ms" if value < 1000 else span(value / 1000)


def span(seconds: float) -> str:
    """A duration given in seconds: ``8 s``, ``3 min``, ``5 h``, ``12 d``."""
    if seconds < 10 and seconds != round(seconds):
        return f"{seconds:.1f} s"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.0f} s"


def at_most(seconds: float) -> str:
    """A duration of which only an upper bound is known: ``≤ 12 s``."""
    return f"≤ {span(seconds)}"


def formatted(figure: Value, form: Callable[[float], str]) -> str:
    """A figure in its form, or the dash for an absent one."""
    return DASH if isinstance(figure, Absent) else form(figure)
