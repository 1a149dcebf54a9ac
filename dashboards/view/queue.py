"""The queue panel: what waits and for how long, over time, and how fast it comes and goes."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from dashboards.flow import Flow, flow
from dashboards.state import State
from dashboards.values import WAITING, Absent, Value, at_most, count, formatted, rate, span
from dashboards.view import timeline
from dashboards.view.charset import Glyphs
from dashboards.view.chart import Column, bars, nice_ceiling
from dashboards.view.lines import LABEL, VALUE, Entry, entry, fitted, tiles

DEPTH, IN, OUT, TROUBLE = "cyan", "blue", "green", "bold red"
# Room for the scale, left of the charts: "out 1,204/s" fits.
_SCALE = 12
_LEAST_CHART = 30


def lines(state: State, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    """The panel's lines."""
    moving = flow(state)
    figures = _figures(state, moving)
    if height < 3 or width < _LEAST_CHART:
        return [_one(item) for item in figures][:height]
    head = tiles(figures, width)
    left = height - len(head)
    if left < 5:
        chart = _chart(state, width, left - 1, glyphs) if left >= 3 else []
        return (head + chart + [_rates_in_a_row(state, moving, width, glyphs)])[:height]
    axis = left >= 8
    rows = 2 if left >= 14 else 1
    over = timeline.times(state, width - _SCALE)
    coming, going = _coming_and_going(state, over)
    ceiling = _ceiling([*coming, *going])
    charts = _chart(state, width, left - 2 * rows - axis, glyphs)
    charts += _rate("in", moving.sent, bars(coming, rows, ceiling, glyphs), IN)
    charts += _rate("out", moving.settled, bars(going, rows, ceiling, glyphs), OUT)
    return head + charts + ([_axis(over, width - _SCALE)] if axis else [])


def _figures(state: State, moving: Flow) -> list[Entry]:
    depth = state.depth.value
    late = LABEL if state.depth.trouble(state.now) else VALUE

    def counter(name: str) -> Value:
        return float(getattr(depth, name)) if depth else WAITING

    dead = depth.dead if depth else WAITING
    some = not isinstance(dead, Absent) and dead > 0
    oldest_form = at_most if moving.bounded else span
    oldest = moving.oldest
    oldest_text = formatted(oldest, oldest_form)
    if depth and depth.total == 0:
        oldest_text = "none"
    drained = formatted(moving.drained_in, span)
    if moving.drained_in == 0:
        drained = "empty"
    elif moving.drained_in == Absent("the queue grows"):
        drained = "grows"
    elif moving.drained_in == Absent("the queue stands still"):
        drained = "steady"
    return [
        entry("visible", counter("visible"), formatted(counter("visible"), count), late),
        entry("in flight", counter("in_flight"), formatted(counter("in_flight"), count), late),
        entry("delayed", counter("delayed"), formatted(counter("delayed"), count), late),
        entry(
            "dead letters", dead, f"{'▲ ' if some else ''}{formatted(dead, count)}", TROUBLE if some else late
        ),
        entry("oldest", oldest, oldest_text, late),
        entry("drained in", 0.0, drained, late),
    ]


def _one(item: Entry) -> Text:
    return Text.assemble((f"{item.label} ", LABEL), (item.value, item.style))


def _chart(state: State, width: int, rows: int, glyphs: Glyphs) -> list[Text]:
    columns = timeline.depths(state, timeline.times(state, width - _SCALE))
    ceiling = _ceiling(columns)
    drawn = []
    for number, line in enumerate(bars(columns, rows, ceiling, glyphs)):
        label = count(ceiling) if number == 0 else "0" if number == rows - 1 else ""
        drawn.append(Text.assemble((f"{label:>{_SCALE - 2}} ┤", LABEL), (line, DEPTH)))
    return drawn


def _rate(name: str, now: Value, drawn: Sequence[str], style: str) -> list[Text]:
    label = Text.assemble(
        (f"{name:<4}", LABEL), (f"{formatted(now, rate):>{_SCALE - 6}}", VALUE), (" ┤", LABEL)
    )
    blank = Text(f"{'':{_SCALE - 2}} ┤", LABEL)
    return [
        Text.assemble(label if number == len(drawn) - 1 else blank, (line, style))
        for number, line in enumerate(drawn)
    ]


def _rates_in_a_row(state: State, moving: Flow, width: int, glyphs: Glyphs) -> Text:
    # Labels of one width, so that the charts beside them hold still.
    labels = {
        name: f"{formatted(now, rate):<8}" for name, now in (("in", moving.sent), ("out", moving.settled))
    }
    room = max(0, width // 2 - 14)
    both = _coming_and_going(state, timeline.times(state, room))
    ceiling = _ceiling([*both[0], *both[1]])
    line = Text()
    for (name, label), columns, style in zip(labels.items(), both, (IN, OUT), strict=True):
        (drawn,) = bars(columns, 1, ceiling, glyphs)
        line.append(f"{name:<4}", LABEL).append(label, VALUE).append(f"{drawn}  ", style)
    return line


def _coming_and_going(state: State, over: timeline.Times) -> tuple[list[Column], list[Column]]:
    series = state.activity.value.series.get("settled") if state.activity.value else None
    return timeline.arrivals(state, over), timeline.rates(series, over)


def _ceiling(columns: Sequence[Column]) -> float:
    return nice_ceiling(max((column for column in columns if column is not None), default=1.0))


def _axis(over: timeline.Times, room: int) -> Text:
    back = f"{span(room * over.step)} ago"
    return Text(f"{'':{_SCALE}}{fitted(back, max(0, room - 3))}now", LABEL)
