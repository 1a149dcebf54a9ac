"""Charts as HTML: columns are SVG that stretches, labels are HTML text that keeps its size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from tools.analytics.output import display_text
from tools.core.text import escape_html as escape

# A single hour is drawn as a column instead of a full-width block.
_MIN_SLOTS = 12
# The classes s0 to s6 of report.css. The last one is for "other".
COLORS = 7
_OTHER = "other"
_HOUR = timedelta(hours=1)
_MAX_HOURS = 24 * 100
_HEIGHT = 100

Series = Mapping[datetime, float]
Bar = tuple[str, float, str]
Segment = tuple[float, int, str]


def hour_axis(times: Sequence[datetime]) -> list[datetime]:
    """Return every hour from the first to the last of these, so that an hour without events is a gap.

    If those are too many, return the latest of the hours that have events: events can be dated decades ago.
    """
    first, last = min(times), max(times)
    if (last - first) // _HOUR < _MAX_HOURS:
        return [first + n * _HOUR for n in range((last - first) // _HOUR + 1)]
    return sorted(set(times))[-_MAX_HOURS:]


def draw_panels(groups: Mapping[str, Series], unit: str, *, shared_scale: bool) -> str:
    """Draw a small chart for each group, side by side, with one column per hour.

    A shared scale makes groups comparable; amounts in different currencies are not.
    """
    if not groups:
        return ""
    axis = hour_axis([hour for series in groups.values() for hour in series])
    highest = max(value for series in groups.values() for value in series.values())
    figures = []
    for index, (name, series) in enumerate(groups.items()):
        top = highest if shared_scale else max(series.values())
        columns = [[(series.get(hour, 0.0), index % (COLORS - 1), name)] for hour in axis]
        figures.append(_figure(name, f"{_short_number(top)}{unit}", _columns(axis, columns, top, unit), axis))
    return f'<div class="panels">{"".join(figures)}</div>'


def draw_stack(groups: Mapping[str, Series], unit: str) -> str:
    """Draw one chart of stacked columns. The smallest groups are summed up as "other"."""
    if not groups:
        return ""
    ranked = sorted(groups, key=lambda name: (-sum(groups[name].values()), name))
    named = ranked if len(ranked) <= COLORS else ranked[: COLORS - 1]
    others = ranked[len(named) :]
    axis = hour_axis([hour for series in groups.values() for hour in series])
    columns: list[list[Segment]] = []
    for hour in axis:
        segments = [(groups[name].get(hour, 0.0), color, name) for color, name in enumerate(named)]
        if others:
            segments.append((sum(groups[name].get(hour, 0.0) for name in others), COLORS - 1, _OTHER))
        columns.append(segments)
    top = max(sum(value for value, *_ in segments) for segments in columns)
    legend = "".join(
        f'<li><i class="s{color}"></i>{escape(name)}</li>'
        for color, name in [*enumerate(named), *([(COLORS - 1, _OTHER)] if others else [])]
    )
    figure = _figure("", f"{_short_number(top)}{unit}", _columns(axis, columns, top, unit), axis)
    return f'<ul class="keys">{legend}</ul>{figure}'


def draw_bar_panels(groups: Mapping[str, Sequence[Bar]]) -> str:
    """Draw horizontal bars for each group side by side. Each group has its own scale."""
    figures = "".join(
        f"<figure><figcaption>{escape(name)}</figcaption>{draw_bars(rows, index % (COLORS - 1))}</figure>"
        for index, (name, rows) in enumerate(groups.items())
    )
    return f'<div class="panels">{figures}</div>'


def draw_bars(rows: Sequence[Bar], color: int = 0) -> str:
    """Draw horizontal bars: a label, a length, and the text at the bar's end."""
    longest = max((value for _, value, _ in rows), default=0) or 1
    bars = "".join(
        f'<div class="row"><span class="label">{escape(label)}</span><span class="track">'
        f'<i class="s{color}" style="width:{100 * value / longest:.2f}%"></i></span>'
        f'<span class="value">{escape(value_text)}</span></div>'
        for label, value, value_text in rows
    )
    return f'<div class="bars">{bars}</div>'


def _columns(axis: Sequence[datetime], columns: Sequence[Sequence[Segment]], top: float, unit: str) -> str:
    slots = max(len(axis), _MIN_SLOTS)
    rects = []
    for index, (hour, segments) in enumerate(zip(axis, columns, strict=True)):
        y = float(_HEIGHT)
        for value, color, name in segments:
            height = _HEIGHT * value / (top or 1)
            y -= height
            if value:
                tooltip = f"{hour:%Y-%m-%d %H:%M} UTC, {name}: {display_text(value)}{unit}"
                rects.append(
                    f'<rect class="s{color}" x="{index + 0.08:.2f}" y="{y:.2f}" width="0.84" '
                    f'height="{height:.2f}"><title>{escape(tooltip)}</title></rect>'
                )
    return (
        f'<svg viewBox="0 0 {slots} {_HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="columns per hour; the table below has the values">{"".join(rects)}</svg>'
    )


def _figure(name: str, top: str, svg: str, axis: Sequence[datetime]) -> str:
    caption = f"<figcaption>{escape(name)}</figcaption>" if name else ""
    last = f"<span>{axis[-1]:%d %b %H:%M}</span>" if len(axis) > 1 else ""
    # The axis is as wide as its columns, so that the last label is below the last column.
    width = 100 * len(axis) / max(len(axis), _MIN_SLOTS)
    return (
        f'<figure>{caption}<div class="top">{escape(top)}</div><div class="plot">{svg}</div>'
        f'<div class="axis" style="width:max({width:.1f}%,13em)">'
        f"<span>{axis[0]:%d %b %H:%M}</span>{last}</div></figure>"
    )


def _short_number(value: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= size:
            return f"{value / (1e3 if letter == 'k' else size):,.3g}{letter}"
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
