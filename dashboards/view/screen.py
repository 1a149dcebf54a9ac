"""Draw the whole screen: the header, the panels, and the sources in their borders."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from textwrap import wrap
from typing import Any

from rich.text import Text

from dashboards.queue_flow import queue_flow
from dashboards.state import HISTORY, Reading, State
from dashboards.values import DASH, Absent, format_count, format_seconds
from dashboards.view import activity_panels, alert_panels
from dashboards.view.frame import BORDERS, Frame, draw_panel, join_side_by_side, truncate
from dashboards.view.layout import arrange
from dashboards.view.lines import ERROR, LABEL, fit
from dashboards.view.queue_panel import draw_queue
from dashboards.view.view import HELP, PANEL_NAMES, View
from tools.core.text import strip_control_chars

_WARNING = "bold reverse"
_PRINTED = View()
_MINUTES = f"{HISTORY // 60} min"


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel: its title, the readings it needs, how to draw it, how to describe its sources, a note."""

    title: str
    readings: tuple[str, ...]
    draw: Callable[[State, int, int], list[Text]]
    describe_source: Callable[[State], str]
    note: str = ""


def _describe_activity_source(state: State) -> str:
    activity = state.activity
    if activity.value is None:
        return activity.source
    if activity.value.window >= 60:
        minute = datetime.fromtimestamp(activity.value.window_end, UTC).strftime("%H:%M")
        return f"{activity.source} · the minute to {minute}"
    return f"{activity.source} · mean of {activity.value.window} s"


def _describe_queue_source(state: State) -> str:
    items = [state.depth.source, f"each {format_seconds(round(state.depth.interval, 1))}"]
    oldest = queue_flow(state).oldest
    if isinstance(oldest, Absent):
        items.append(f"oldest {DASH} {oldest.reason}")
    return " · ".join([*items, f"in, out: {state.activity.source}"])


PANELS = {
    "queue": Panel("Queue", ("depth",), draw_queue, _describe_queue_source),
    "throughput": Panel(
        "Throughput", ("activity",), activity_panels.draw_throughput, _describe_activity_source
    ),
    "lambda": Panel(
        "Lambda",
        ("activity",),
        activity_panels.draw_function,
        _describe_activity_source,
        f"errors in {_MINUTES}",
    ),
    "dynamodb": Panel(
        "DynamoDB",
        ("tables", "activity"),
        activity_panels.draw_tables,
        lambda state: f"DescribeTable · {state.activity.source}",
        f"types in {_MINUTES}",
    ),
    "alerts": Panel(
        "Alerts", ("alerts",), alert_panels.draw_alerts, lambda state: f"{state.alerts.source} indexes"
    ),
    "alarms": Panel("Alarms", ("alarms",), alert_panels.draw_alarms, lambda state: state.alarms.source),
}


def render(state: State, width: int, height: int, view: View = _PRINTED) -> Frame:
    """Draw one frame of exactly this size."""
    notice = "frozen: space continues" if view.is_frozen else ""
    lines = [draw_header(state, width, notice, " ? help  q quits " if view.has_keys else "")]
    if view.shows_help:
        help_lines = [Text(f" {line}") for line in HELP.splitlines()[: height - 1]]
        return Frame(lines + [_padded(line, width) for line in help_lines])
    rows = arrange(width, height - 1, view.panel)
    missing = set(PANELS) - {name for _, panels in rows for name, _ in panels}
    smaller = arrange(width, height - 2) if missing and not view.panel else []
    if smaller:
        rows = smaller
        missing = set(PANELS) - {name for _, panels in rows for name, _ in panels}
    for row_height, panels in rows:
        drawn = [_draw(name, state, (panel_width, row_height), view) for name, panel_width in panels]
        lines += join_side_by_side(drawn)
    if not rows and height > 1:
        queued = format_count(state.depth.value.total) if state.depth.value else DASH
        lines.append(truncate(Text(f" {queued} queued"), width))
    if smaller:
        shown = [_title(name, view) for name in PANEL_NAMES if name in missing]
        hint = "A number shows one. " if view.has_keys else ""
        text = f" Too small for {', '.join(shown)}. {hint}"
        if len(text) > width:
            text = f" {len(shown)} panels left out. {hint}"
        lines.append(_padded(Text(text, LABEL), width))
    return Frame(lines)


def _padded(line: Text, width: int) -> Text:
    line = truncate(line, width)
    line.pad_right(width - line.cell_len)
    return line


def _title(name: str, view: View) -> str:
    number = f"{PANEL_NAMES.index(name) + 1} " if view.has_keys else ""
    return f"{number}{PANELS[name].title}"


def _draw(name: str, state: State, size: tuple[int, int], view: View) -> list[Text]:
    panel = PANELS[name]
    readings: list[Reading[Any]] = [getattr(state, reading) for reading in panel.readings]
    warning = next((text for reading in readings if (text := reading.warning(state.now))), None)
    inner_width, inner_height = size[0] - BORDERS, size[1] - 2
    if all(reading.value is None for reading in readings):
        lines = _lines_without_value(readings[0], inner_width)
    else:
        lines = panel.draw(state, inner_width, inner_height)
    title = Text().append(_title(name, view), "bold")
    late = [reading.age(state.now) for reading in readings if reading.value and reading.is_late(state.now)]
    if late:
        title.append(f" · {format_seconds(round(max(late)))} old", _WARNING)
    elif panel.note:
        title.append(f" · {panel.note}", LABEL)
    footer = Text(f"▲ {warning}", _WARNING) if warning else Text(panel.describe_source(state), LABEL)
    return draw_panel(title, footer, lines, size, "bold" if warning else "dim")


def _lines_without_value(reading: Reading[Any], width: int) -> list[Text]:
    if reading.error is None:
        return [Text(f"waiting for {reading.source}", LABEL)]
    return [Text(line, _WARNING) for line in wrap(reading.error, width)]


def draw_header(state: State, width: int, notice: str = "", keys: str = "") -> Text:
    """Draw the line. On a narrow screen, what needs attention replaces all else, the name last.

    ``notice`` says what the user did to the screen, ``keys`` what they can press.
    """
    name = f" {strip_control_chars(state.name)} "
    attention = " · ".join([*list_attention(state), *filter(None, [notice])])
    right = f"  {datetime.fromtimestamp(state.now, UTC):%H:%M:%S} UTC {keys}"
    if len(name) + len(attention) + len(right) > width:
        right = ""
    if len(name) + len(attention) > width:
        name = ""
    room = max(0, width - len(name) - len(attention) - len(right))
    location = f" {strip_control_chars(state.location)} "
    line = Text().append(name, "bold")
    line.append(fit(location if len(location) <= room else "", room), LABEL)
    return truncate(line.append(attention, ERROR).append(right, LABEL), width)


def list_attention(state: State) -> list[str]:
    """Return what an on-call engineer must see first, even if its panel is not on the screen."""
    alarming = float(sum(alarm.state == "ALARM" for alarm in state.alarms.value or ()))
    dead_letters = state.depth.value.dead_letters if state.depth.value else Absent("")
    warnings = sum(reading.warning(state.now) is not None for reading in state.readings)
    items = (
        (alarming, "ALARM"),
        (dead_letters, "dead letters"),
        (state.activity_value("errors"), "function errors"),
        (state.activity_value("silent"), "silent invocations"),
        (state.activity_value("throttles"), "function throttles"),
        (state.activity_value("table_throttles"), "table throttles"),
        (float(warnings), f"of {len(state.readings)} sources in trouble"),
    )
    return [
        f"▲ {format_count(count)} {what}"
        for count, what in items
        if not isinstance(count, Absent) and count > 0
    ]
