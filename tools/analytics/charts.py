"""Charts as HTML: what has a shape is SVG that stretches, what is text stays text and never shrinks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from html import escape

from tools.analytics.output import text

# A lone hour is a column, not a wall.
_FEWEST_SLOTS = 12
# The classes s0 to s6 of the page's style sheet; what has no colour of its own is "other", the last.
COLOURS = 7
_OTHER = "other"
_HOUR = timedelta(hours=1)
_HEIGHT = 100

Series = Mapping[datetime, float]
Bar = tuple[str, float, str]


def hours(moments: Sequence[datetime]) -> list[datetime]:
    """Every hour from the first to the last of these: one in which nothing happened is a gap to be seen."""
    hour, found = min(moments), []
    while hour <= max(moments):
        found.append(hour)
        hour += _HOUR
    return found


def panels(groups: Mapping[str, Series], unit: str, *, one_scale: bool) -> str:
    """A small chart of columns an hour for each group, side by side.

    On ``one_scale`` they can be held against each other; amounts in different currencies cannot.
    """
    axis = hours([moment for series in groups.values() for moment in series])
    highest = max(value for series in groups.values() for value in series.values())
    drawn = []
    for place, (name, series) in enumerate(groups.items()):
        top = highest if one_scale else max(series.values())
        columns = [[(series.get(hour, 0.0), place % (COLOURS - 1), name)] for hour in axis]
        drawn.append(_figure(name, f"{_short(top)}{unit}", _columns(axis, columns, top, unit), axis))
    return f'<div class="panels">{"".join(drawn)}</div>'


def stacked(groups: Mapping[str, Series], unit: str) -> str:
    """One chart of columns an hour in which the groups stand on each other, the largest ones by name."""
    largest = sorted(groups, key=lambda name: (-sum(groups[name].values()), name))
    named = largest if len(largest) <= COLOURS else largest[: COLOURS - 1]
    axis = hours([moment for series in groups.values() for moment in series])
    columns, top = [], 0.0
    for hour in axis:
        parts = [(groups[name].get(hour, 0.0), place, name) for place, name in enumerate(named)]
        rest = sum(groups[name].get(hour, 0.0) for name in largest[len(named) :])
        parts += [(rest, COLOURS - 1, _OTHER)] if len(named) < len(largest) else []
        columns.append(parts)
        top = max(top, sum(value for value, *_ in parts))
    names = [*named, *([_OTHER] if len(named) < len(largest) else [])]
    keys = "".join(
        f'<li><i class="s{COLOURS - 1 if name == _OTHER else place}"></i>{escape(name)}</li>'
        for place, name in enumerate(names)
    )
    figure = _figure("", f"{_short(top)}{unit}", _columns(axis, columns, top, unit), axis)
    return f'<ul class="keys">{keys}</ul>{figure}'


def bar_panels(groups: Mapping[str, Sequence[Bar]]) -> str:
    """Horizontal bars for each group, each to a scale of its own, side by side."""
    drawn = "".join(
        f"<figure><figcaption>{escape(name)}</figcaption>{bars(rows, place % (COLOURS - 1))}</figure>"
        for place, (name, rows) in enumerate(groups.items())
    )
    return f'<div class="panels">{drawn}</div>'


def bars(rows: Sequence[Bar], colour: int = 0) -> str:
    """Horizontal bars: a label, a length, and what stands at its end."""
    longest = max((value for _, value, _ in rows), default=0) or 1
    drawn = "".join(
        f'<div class="row"><span class="label">{escape(label)}</span><span class="track">'
        f'<i class="s{colour}" style="width:{100 * value / longest:.2f}%"></i></span>'
        f'<span class="value">{escape(value_text)}</span></div>'
        for label, value, value_text in rows
    )
    return f'<div class="bars">{drawn}</div>'


def _columns(
    axis: Sequence[datetime], columns: Sequence[Sequence[tuple[float, int, str]]], top: float, unit: str
) -> str:
    slots = max(len(axis), _FEWEST_SLOTS)
    rects = []
    for place, (hour, parts) in enumerate(zip(axis, columns, strict=True)):
        floor = float(_HEIGHT)
        for value, colour, name in parts:
            height = _HEIGHT * value / (top or 1)
            floor -= height
            if value:
                tip = f"{hour:%Y-%m-%d %H:%M} UTC, {name}: {text(value)}{unit}"
                rects.append(
                    f'<rect class="s{colour}" x="{place + 0.08:.2f}" y="{floor:.2f}" width="0.84" '
                    f'height="{height:.2f}"><title>{escape(tip)}</title></rect>'
                )
    return (
        f'<svg viewBox="0 0 {slots} {_HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="columns an hour; the table below has the figures">{"".join(rects)}</svg>'
    )


def _figure(name: str, top: str, svg: str, axis: Sequence[datetime]) -> str:
    caption = f"<figcaption>{escape(name)}</figcaption>" if name else ""
    last = f"<span>{axis[-1]:%d %b %H:%M}</span>" if len(axis) > 1 else ""
    # The last hour's label stands below the last column, wherever in the plot that is.
    share = 100 * len(axis) / max(len(axis), _FEWEST_SLOTS)
    return (
        f'<figure>{caption}<div class="top">{escape(top)}</div><div class="plot">{svg}</div>'
        f'<div class="axis" style="width:max({share:.1f}%,13em)">'
        f"<span>{axis[0]:%d %b %H:%M}</span>{last}</div></figure>"
    )


def _short(value: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= size:
            return f"{value / (1e3 if letter == 'k' else size):,.3g}{letter}"
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
