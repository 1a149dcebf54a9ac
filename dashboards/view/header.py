"""Draw the first line of the screen: the pipeline, what needs attention, the time."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.text import Text

from dashboards.state import State
from dashboards.values import Absent, format_count
from dashboards.view.frame import truncate
from dashboards.view.lines import LABEL, fit
from tools.core.text import strip_control_chars


def draw_header(state: State, width: int) -> Text:
    """Draw the line. On a narrow screen, what needs attention replaces the location and the time."""
    name = f" {strip_control_chars(state.name)} "
    clock = datetime.fromtimestamp(state.now, UTC).strftime("%H:%M:%S UTC")
    attention = " · ".join(list_attention(state))
    right = f"  {clock}  q quits "
    if len(name) + len(attention) + len(right) > width:
        right = ""
    room = max(0, width - len(name) - len(attention) - len(right))
    location = f" {strip_control_chars(state.location)} "
    line = Text().append(name, "bold")
    line.append(fit(location if len(location) <= room else "", room), LABEL)
    return truncate(line.append(attention, "bold red").append(right, LABEL), width)


def list_attention(state: State) -> list[str]:
    """Return what an on-call engineer must see first, even if its panel is not on the screen."""
    items = []
    alarming = [alarm for alarm in state.alarms.value or () if alarm.state == "ALARM"]
    if alarming:
        items.append(f"▲ {len(alarming)} ALARM")
    dead_letters = state.depth.value.dead_letters if state.depth.value else Absent("")
    if not isinstance(dead_letters, Absent) and dead_letters > 0:
        items.append(f"▲ {format_count(dead_letters)} dead letters")
    warnings = sum(reading.warning(state.now) is not None for reading in state.readings)
    if warnings:
        items.append(f"▲ {warnings} of {len(state.readings)} sources in trouble")
    return items
