"""The panels about the work: throughput, the function, the tables."""

from __future__ import annotations

from rich.text import Text

from dashboards.state import State
from dashboards.values import DASH, WAITING, Absent, Value, brief, count, formatted, millis, rate
from dashboards.view import timeline
from dashboards.view.charset import Glyphs
from dashboards.view.chart import bars, nice_ceiling
from dashboards.view.lines import LABEL, VALUE, Entry, entry, fitted, row, several

_TROUBLE = "bold red"
_LABEL_WIDTH = 11


def throughput(state: State, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    """What came of the messages, a second, and how long events took from occurring to being stored."""
    rates = {name: state.figure(name) for name in ("received", "stored", "duplicates", "rejected")}
    entries = {
        name: entry(name, figure, formatted(figure, rate), _late(state)) for name, figure in rates.items()
    }
    latency = _two("latency", state.figure("latency_p50"), state.figure("latency_p95"), state)
    if height < 5:
        pairs = [["received", "duplicates"], ["stored", "rejected"]]
        drawn = [several([_padded(entries[name]) for name in pair], width) for pair in pairs]
        return [*drawn, row(latency, width, len("received"))][:height]
    ceiling = nice_ceiling(
        max((value for value in rates.values() if not isinstance(value, Absent)), default=1)
    )
    drawn = [_with_chart(state, item, width, ceiling, glyphs) for item in entries.values()]
    return [*drawn, row(latency, width, _LABEL_WIDTH)]


def function(state: State, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    """What Lambda did."""
    invocations = state.figure("invocations")
    concurrency = state.figure("concurrency")
    runs = entry("invocations", invocations, formatted(invocations, rate), _late(state))
    at_once = entry("at once", concurrency, formatted(concurrency, count), _late(state))
    errors, throttles = (_bad(state, name, state.figure(name)) for name in ("errors", "throttles"))
    silent = state.figure("silent")
    if not isinstance(silent, Absent) and silent > 0:
        errors = Entry(errors.label, f"{errors.value}, {count(silent)} silent", errors.style, errors.reason)
    duration = _two("duration", state.figure("duration_p50"), state.figure("duration_p95"), state)
    if height < 5:
        drawn = [
            several([runs, at_once], width),
            row(duration, width, 0),
            several([errors, throttles], width),
        ]
        return drawn[:height]
    alone = [row(item, width, _LABEL_WIDTH) for item in (errors, throttles, at_once, duration)]
    return [_with_chart(state, runs, width, None, glyphs), *alone]


def tables(state: State, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    """What DynamoDB holds, and what that took."""
    names = ("events", "rejected", "duplicates")
    held = [getattr(state.tables.value, name) if state.tables.value else WAITING for name in names]
    late = LABEL if state.tables.trouble(state.now) else VALUE
    counts = [
        entry(name, figure, formatted(figure, count), late) for name, figure in zip(names, held, strict=True)
    ]
    write, read = state.figure("write_units"), state.figure("read_units")
    units = (
        formatted(write, rate) if isinstance(write, Absent) else f"w {rate(write)}  r {formatted(read, rate)}"
    )
    capacity = entry("capacity", write, units, _late(state))
    throttles = _bad(state, "table_throttles", state.figure("table_throttles"))
    if height < 5:
        short = [
            entry(label, figure, formatted(figure, brief), late)
            for label, figure in zip(("events", "rejected", "dupl."), held, strict=True)
        ]
        drawn = [
            several(short, width),
            several(_by_type(state), width),
            several([capacity, throttles], width),
        ]
        return drawn[:height]
    return [
        row(counts[0], width, _LABEL_WIDTH),
        several([_padded(counts[1], _LABEL_WIDTH), counts[2]], width),
        several(_by_type(state), width),
        row(capacity, width, _LABEL_WIDTH),
        row(throttles, width, _LABEL_WIDTH),
    ]


def _by_type(state: State) -> list[Entry]:
    found = state.activity.value.by_type if state.activity.value else {"events": WAITING}
    return [entry(name, figure, formatted(figure, brief), _late(state)) for name, figure in found.items()]


def _padded(item: Entry, width: int = len("duplicates")) -> Entry:
    return Entry(f"{item.label:<{width}}", item.value, item.style, item.reason)


def _late(state: State) -> str:
    return LABEL if state.activity.trouble(state.now) else VALUE


def _bad(state: State, name: str, figure: Value) -> Entry:
    """A count of something that should not be."""
    some = not isinstance(figure, Absent) and figure > 0
    text = f"{'▲ ' if some else ''}{formatted(figure, count)}"
    return entry(name.removeprefix("table_"), figure, text, _TROUBLE if some else _late(state))


def _two(label: str, middle: Value, high: Value, state: State) -> Entry:
    if isinstance(middle, Absent):
        return entry(label, middle, DASH)
    return Entry(label, f"p50 {millis(middle)}  p95 {formatted(high, millis)}", _late(state))


def _with_chart(state: State, item: Entry, width: int, ceiling: float | None, glyphs: Glyphs) -> Text:
    """An entry with its last minutes beside it, where there is room."""
    room = width - _LABEL_WIDTH - 10
    if room < 8 or item.reason:
        return row(item, width, _LABEL_WIDTH)
    series = state.activity.value.series.get(item.label) if state.activity.value else None
    columns = timeline.rates(series, timeline.times(state, room))
    most = max((column for column in columns if column is not None), default=1.0)
    (drawn,) = bars(columns, 1, max(ceiling or 1.0, nice_ceiling(most)), glyphs)
    line = Text().append(f"{fitted(item.label, _LABEL_WIDTH)} ", LABEL)
    return line.append(fitted(item.value, 9), item.style).append(drawn, "green")
