"""Draw the panels of throughput, the function and the tables."""

from rich.text import Text

from dashboards.state import State
from dashboards.values import (
    NOT_READ_YET,
    Absent,
    format_brief,
    format_count,
    format_millis,
    format_rate,
    format_value,
)
from dashboards.view import timeline
from dashboards.view.chart import ceiling_of, draw_bars
from dashboards.view.lines import LABEL, VALUE, Entry, entries_line, fit

_LABEL_WIDTH = 11
_VALUE_WIDTH = 9
_MIN_CHART_WIDTH = 8
# A panel with fewer lines than this is drawn in its compact form.
_FULL_HEIGHT = 5


def draw_throughput(state: State, width: int, height: int) -> list[Text]:
    """Draw the outcomes of messages per second, and the time from occurrence to storage."""
    style = _style(state)
    rates = {name: state.activity_value(name) for name in ("received", "stored", "duplicates", "rejected")}
    entries = {name: Entry.format(name, rate, format_rate, style) for name, rate in rates.items()}
    if height < _FULL_HEIGHT:
        pairs = [("received", "duplicates"), ("stored", "rejected")]
        lines = [
            entries_line([_pad_label(entries[name], len("duplicates")) for name in pair], width)
            for pair in pairs
        ]
        return [*lines, _latency_line(state, width, len("received"))][:height]
    ceiling = ceiling_of([None if isinstance(rate, Absent) else rate for rate in rates.values()])
    lines = [_line_with_chart(state, entry, width, ceiling) for entry in entries.values()]
    return [*lines, _latency_line(state, width, _LABEL_WIDTH)]


def draw_function(state: State, width: int, height: int) -> list[Text]:
    """Draw the function's invocations, errors, concurrency and duration."""
    style = _style(state)
    invocations = Entry.format("invocations", state.activity_value("invocations"), format_rate, style)
    concurrency = Entry.format("concurrency", state.activity_value("concurrency"), format_count, style)
    errors = Entry.format_error_count("errors", state.activity_value("errors"), style)
    throttles = Entry.format_error_count("throttles", state.activity_value("throttles"), style)
    silent = state.activity_value("silent")
    if not isinstance(silent, Absent) and silent > 0:
        text = f"{errors.text}, {format_count(silent)} silent"
        errors = Entry(errors.label, text, errors.style, errors.reason)
    duration = _quantiles_entry(state, "duration")
    if height < _FULL_HEIGHT:
        lines = [
            entries_line([invocations, concurrency], width),
            duration.line(width, 0),
            entries_line([errors, throttles], width),
        ]
        return lines[:height]
    others = [entry.line(width, _LABEL_WIDTH) for entry in (errors, throttles, concurrency, duration)]
    return [_line_with_chart(state, invocations, width, 1.0), *others]


def draw_tables(state: State, width: int, height: int) -> list[Text]:
    """Draw the tables' item counts, the events by type, and the consumed capacity."""
    labels = ("events", "rejected", "duplicates")
    counts = [state.value("tables", name) for name in labels]
    style = LABEL if state.tables.warning(state.now) else VALUE
    capacity = _capacity_entry(state)
    throttles = Entry.format_error_count("throttles", state.activity_value("table_throttles"), _style(state))
    if height < _FULL_HEIGHT:
        brief = [
            Entry.format(label, count, format_brief, style)
            for label, count in zip(("events", "rejected", "dupl."), counts, strict=True)
        ]
        lines = [
            entries_line(brief, width),
            entries_line(_by_type_entries(state), width),
            entries_line([capacity, throttles], width),
        ]
        return lines[:height]
    events, rejected, duplicates = (
        Entry.format(label, count, format_count, style) for label, count in zip(labels, counts, strict=True)
    )
    return [
        events.line(width, _LABEL_WIDTH),
        entries_line([_pad_label(rejected, _LABEL_WIDTH), duplicates], width),
        entries_line(_by_type_entries(state), width),
        capacity.line(width, _LABEL_WIDTH),
        throttles.line(width, _LABEL_WIDTH),
    ]


def _capacity_entry(state: State) -> Entry:
    write, read = state.activity_value("write_units"), state.activity_value("read_units")
    return Entry.format(
        "capacity",
        write,
        lambda units: f"w {format_rate(units)}  r {format_value(read, format_rate)}",
        _style(state),
    )


def _by_type_entries(state: State) -> list[Entry]:
    by_type = state.activity.value.by_type if state.activity.value else {"events": NOT_READ_YET}
    return [Entry.format(name, value, format_brief, _style(state)) for name, value in by_type.items()]


def _quantiles_entry(state: State, name: str) -> Entry:
    p50, p95 = state.activity_value(f"{name}_p50"), state.activity_value(f"{name}_p95")
    return Entry.format(
        name,
        p50,
        lambda millis: f"p50 {format_millis(millis)}  p95 {format_value(p95, format_millis)}",
        _style(state),
    )


def _latency_line(state: State, width: int, label_width: int) -> Text:
    """Draw the time from occurrence to storage and, by SQS's clock, from the queue to storage."""
    latency = _quantiles_entry(state, "latency")
    queued, p95 = state.activity_value("queued_p95"), state.activity_value("latency_p95")
    if latency.reason or isinstance(queued, Absent):
        return latency.line(width, label_width)
    from_queue = format_millis(queued)
    texts = (
        f"{'latency':<{label_width}} {latency.text}  queue p95 {from_queue}",
        f"latency {latency.text}  queue {from_queue}",
        f"latency p95 {format_value(p95, format_millis)}  queue p95 {from_queue}",
    )
    for text in texts:
        if len(text) <= width:
            label = text[: label_width if text is texts[0] else len("latency")]
            return Entry(label, text[len(label) + 1 :], latency.style).line(width, 0)
    return latency.line(width, label_width)


def _pad_label(entry: Entry, width: int) -> Entry:
    return Entry(f"{entry.label:<{width}}", entry.text, entry.style, entry.reason)


def _style(state: State) -> str:
    return LABEL if state.activity.warning(state.now) else VALUE


def _line_with_chart(state: State, entry: Entry, width: int, ceiling: float) -> Text:
    """Draw an entry and, if there is room, a chart of its last minutes."""
    chart_width = width - _LABEL_WIDTH - _VALUE_WIDTH - 1
    if chart_width < _MIN_CHART_WIDTH or entry.reason:
        return entry.line(width, _LABEL_WIDTH)
    series = state.activity_series(entry.label)
    columns = timeline.rate_columns(series, timeline.make_axis(state, chart_width))
    (bars,) = draw_bars(columns, 1, max(ceiling, ceiling_of(columns)))
    line = Text().append(f"{fit(entry.label, _LABEL_WIDTH)} ", LABEL)
    return line.append(fit(entry.text, _VALUE_WIDTH), entry.style).append(bars, "green")
