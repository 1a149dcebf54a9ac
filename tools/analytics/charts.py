"""Charts as HTML: columns and bars are SVG that stretches, labels are HTML text that keeps its size."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from tools.analytics.output import display_text
from tools.core.text import escape_html as escape

# A single hour is drawn as a column instead of a full-width block.
_MIN_HOURS = 12
_MAX_HOURS = 24 * 100
# The classes s0 to s6 of report.css. The last one is for "other".
COLORS = 7
_OTHER = "other"
_HOUR = timedelta(hours=1)
_HEIGHT = 100

Series = Mapping[datetime, float]
Bar = tuple[str, float, str]
Segment = tuple[float, int, str]


@dataclass(frozen=True)
class Axis:
    """The hours that all charts of a page show, up to the hour of ``end``, and the first one with a value."""

    hours: Sequence[datetime]
    end: datetime
    first: datetime

    @classmethod
    def of(cls, times: Iterable[datetime], end: datetime) -> Self:
        """Return the axis from the first of these hours. Much older ones are left out, as are later ones."""
        last = end.replace(minute=0, second=0, microsecond=0)
        # A producer's clock may be five minutes ahead.
        last = max([last, *(time for time in times if time == last + _HOUR)])
        first = min((time for time in times if last - _MAX_HOURS * _HOUR < time <= last), default=last)
        count = max((last - first) // _HOUR + 1, _MIN_HOURS)
        return cls([last - n * _HOUR for n in reversed(range(count))], end, first)

    @property
    def span(self) -> str:
        """Return the hours as text."""
        return f"{self.hours[0]:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M} UTC"


def draw_panels(title: str, groups: Mapping[str, Series], axis: Axis, unit: str, *, shared: bool) -> str:
    """Draw a small chart for each group, side by side, with one column per hour.

    A shared scale makes groups comparable; amounts in different currencies are not.
    """
    highest = max((value for series in groups.values() for value in series.values()), default=0)
    known = {hour for series in groups.values() for hour in series}
    figures = []
    for index, (name, series) in enumerate(groups.items()):
        top = highest if shared else max(series.values())
        columns = [[(series.get(hour, 0.0), index % (COLORS - 1), name)] for hour in axis.hours]
        figures.append(_figure((title, name), axis, columns, known, top, unit))
    return f'<div class="panels">{"".join(figures)}</div>{_outside_note(known, axis)}'


def draw_stack(title: str, groups: Mapping[str, Series], axis: Axis) -> str:
    """Draw one chart of stacked columns. The smallest groups are summed up as "other"."""
    ranked = sorted(groups, key=lambda name: (-sum(groups[name].values()), name))
    named = ranked if len(ranked) <= COLORS else ranked[: COLORS - 1]
    others = ranked[len(named) :]
    columns: list[list[Segment]] = []
    for hour in axis.hours:
        segments = [(groups[name].get(hour, 0.0), color, name) for color, name in enumerate(named)]
        if others:
            segments.append((sum(groups[name].get(hour, 0.0) for name in others), COLORS - 1, _OTHER))
        columns.append(segments)
    top = max((sum(value for value, *_ in segments) for segments in columns), default=0)
    legend = "".join(
        f'<li><svg viewBox="0 0 1 1" aria-hidden="true"><rect class="s{color}" width="1" height="1"/></svg>'
        f"{escape(name)}</li>"
        for color, name in [*enumerate(named), *([(COLORS - 1, _OTHER)] if others else [])]
    )
    known = {hour for series in groups.values() for hour in series}
    figure = _figure((title, ""), axis, columns, known, top, "")
    return f'<ul class="keys">{legend}</ul>{figure}{_outside_note(known, axis)}'


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
        f'<div class="row"><span class="label">{escape(label)}</span><svg class="track" viewBox="0 0 100 1" '
        f'preserveAspectRatio="none" aria-hidden="true"><rect class="s{color}" '
        f'width="{100 * value / longest:.2f}" height="1"/></svg>'
        f'<span class="value">{escape(value_text)}</span></div>'
        for label, value, value_text in rows
    )
    return f'<div class="bars">{bars}</div>'


def _figure(
    names: tuple[str, str],
    axis: Axis,
    columns: Sequence[Sequence[Segment]],
    known: set[datetime],
    top: float,
    unit: str,
) -> str:
    rects = [_gap(axis, start, end) for start, end in _gaps(axis, known)]
    for index, (hour, segments) in enumerate(zip(axis.hours, columns, strict=True)):
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
    highest = f"{_short_number(top)}{unit}"
    label = ", ".join([*filter(None, names), axis.span, f"at most {highest} an hour"])
    caption = f"<figcaption>{escape(names[1])}</figcaption>" if names[1] else ""
    return (
        f'<figure>{caption}<div class="top">{escape(highest)}</div><div class="plot">'
        f'<svg viewBox="0 0 {len(axis.hours)} {_HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(label)}">{"".join(rects)}</svg></div><div class="axis">'
        f"<span>{axis.hours[0]:%d %b %H:%M}</span><span>{axis.end:%d %b %H:%M}</span></div></figure>"
    )


def _gaps(axis: Axis, known: set[datetime]) -> list[tuple[int, int]]:
    """Return the begin and the end of each run of hours without a value, once the page has values."""
    gaps: list[tuple[int, int]] = []
    for index, hour in enumerate(axis.hours):
        if hour in known or hour < axis.first:
            continue
        if gaps and gaps[-1][1] == index:
            gaps[-1] = (gaps[-1][0], index + 1)
        else:
            gaps.append((index, index + 1))
    return gaps


def _gap(axis: Axis, start: int, end: int) -> str:
    text = f"{axis.hours[start]:%Y-%m-%d %H:%M} UTC, {end - start} h without any"
    return (
        f'<rect class="gap" x="{start}" width="{end - start}" height="{_HEIGHT}"><title>{text}</title></rect>'
        f'<rect class="floor" x="{start}" y="{_HEIGHT - 4}" width="{end - start}" height="4"/>'
    )


def _outside_note(known: set[datetime], axis: Axis) -> str:
    missing = len(known - set(axis.hours))
    if not missing:
        return ""
    return f'<p class="none">{missing:,} hours outside of this time are only in the table.</p>'


def _short_number(value: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= size:
            return f"{value / (1e3 if letter == 'k' else size):,.3g}{letter}"
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
