"""Draw the queue panel: how many messages wait and for how long, over time, and the rates in and out."""

from collections.abc import Sequence

from rich.text import Text

from dashboards.queue_flow import QUEUE_GROWS, QUEUE_IS_STEADY, QueueFlow, queue_flow
from dashboards.state import State
from dashboards.values import (
    Value,
    format_count,
    format_rate,
    format_seconds,
    format_upper_bound,
    format_value,
)
from dashboards.view import timeline
from dashboards.view.chart import Column, ceiling_of, draw_bars
from dashboards.view.lines import LABEL, VALUE, Entry, entry_tiles, fit

DEPTH, IN, OUT = "cyan", "blue", "green"
# Width of the scale left of the charts: "out 1,204/s" fits.
_SCALE_WIDTH = 12
_MIN_CHART_WIDTH = 30


def draw_queue(state: State, width: int, height: int) -> list[Text]:
    """Draw the panel's lines."""
    flow = queue_flow(state)
    entries = _entries(state, flow)
    if height < 3 or width < _MIN_CHART_WIDTH:
        return [entry.line(width, 0) for entry in entries][:height]
    tiles = entry_tiles(entries, width)
    remaining = height - len(tiles)
    if remaining < 5:
        chart = _depth_chart(state, width, remaining - 1) if remaining >= 3 else []
        return (tiles + chart + [_rates_line(state, flow, width)])[:height]
    has_axis = remaining >= 8
    rows = 2 if remaining >= 14 else 1
    axis = timeline.make_axis(state, width - _SCALE_WIDTH)
    arrivals, departures = _rate_columns(state, axis)
    ceiling = ceiling_of([*arrivals, *departures])
    lines = tiles + _depth_chart(state, width, remaining - 2 * rows - has_axis)
    lines += _rate_chart("in", flow.sent, draw_bars(arrivals, rows, ceiling), IN)
    lines += _rate_chart("out", flow.deleted, draw_bars(departures, rows, ceiling), OUT)
    return lines + ([_axis_line(axis, width - _SCALE_WIDTH)] if has_axis else [])


def _entries(state: State, flow: QueueFlow) -> list[Entry]:
    depth = state.depth.value
    style = LABEL if state.depth.warning(state.now) else VALUE
    format_oldest = format_upper_bound if flow.oldest_is_upper_bound else format_seconds
    if depth and depth.total == 0:
        oldest = Entry("oldest", "none", style)
    else:
        oldest = Entry.format("oldest", flow.oldest, format_oldest, style)
    return [
        *(
            Entry.format(name.replace("_", " "), state.value("depth", name), format_count, style)
            for name in ("visible", "in_flight", "delayed")
        ),
        Entry.format_error_count("dead letters", state.value("depth", "dead_letters"), style),
        oldest,
        Entry("drain ETA", _format_drain_eta(flow.drain_eta), style),
    ]


def _format_drain_eta(drain_eta: Value) -> str:
    if drain_eta == 0:
        return "empty"
    if drain_eta == QUEUE_GROWS:
        return "grows"
    if drain_eta == QUEUE_IS_STEADY:
        return "steady"
    return format_value(drain_eta, format_seconds)


def _depth_chart(state: State, width: int, rows: int) -> list[Text]:
    columns = timeline.depth_columns(state, timeline.make_axis(state, width - _SCALE_WIDTH))
    ceiling = ceiling_of(columns)
    lines = []
    for number, bars in enumerate(draw_bars(columns, rows, ceiling)):
        label = format_count(ceiling) if number == 0 else "0" if number == rows - 1 else ""
        lines.append(Text.assemble((f"{label:>{_SCALE_WIDTH - 2}} ┤", LABEL), (bars, DEPTH)))
    return lines


def _rate_chart(name: str, rate: Value, bars: Sequence[str], style: str) -> list[Text]:
    label = Text.assemble(
        (f"{name:<4}", LABEL),
        (f"{format_value(rate, format_rate):>{_SCALE_WIDTH - 6}}", VALUE),
        (" ┤", LABEL),
    )
    blank = Text(f"{'':{_SCALE_WIDTH - 2}} ┤", LABEL)
    return [
        Text.assemble(label if number == len(bars) - 1 else blank, (line, style))
        for number, line in enumerate(bars)
    ]


def _rates_line(state: State, flow: QueueFlow, width: int) -> Text:
    axis = timeline.make_axis(state, max(0, width // 2 - 14))
    arrivals, departures = _rate_columns(state, axis)
    ceiling = ceiling_of([*arrivals, *departures])
    line = Text()
    for name, rate, columns, style in (
        ("in", flow.sent, arrivals, IN),
        ("out", flow.deleted, departures, OUT),
    ):
        (bars,) = draw_bars(columns, 1, ceiling)
        # Rates have a fixed width, so that the charts beside them do not move.
        line.append(f"{name:<4}", LABEL).append(f"{format_value(rate, format_rate):<8}", VALUE)
        line.append(f"{bars}  ", style)
    return line


def _rate_columns(state: State, axis: timeline.TimeAxis) -> tuple[list[Column], list[Column]]:
    departures = timeline.rate_columns(state.activity_series("deleted"), axis)
    return timeline.arrival_columns(state, axis), departures


def _axis_line(axis: timeline.TimeAxis, width: int) -> Text:
    start = f"{format_seconds(width * axis.step)} ago"
    return Text(f"{'':{_SCALE_WIDTH}}{fit(start, max(0, width - 3))}now", LABEL)
