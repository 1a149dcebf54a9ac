"""The whole screen: the panels, what their borders say, and all of it drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from textwrap import wrap
from typing import Any

from rich.text import Text

from dashboards.flow import flow
from dashboards.state import HISTORY, Reading, State
from dashboards.values import DASH, Absent, count, span
from dashboards.view import activity_panels, alert_panels, queue
from dashboards.view.charset import Glyphs
from dashboards.view.frame import BORDERS, Frame, beside, cut, panel
from dashboards.view.header import header
from dashboards.view.layout import arrange
from dashboards.view.lines import LABEL

_TROUBLE = "bold yellow"
_MINUTES = f"{HISTORY // 60} min"


@dataclass(frozen=True, slots=True)
class Pane:
    """A panel: its title, the readings it shows, what draws it, where its figures are from, a note."""

    title: str
    readings: tuple[str, ...]
    lines: Callable[[State, int, int, Glyphs], list[Text]]
    source: Callable[[State], str]
    note: str = ""


def _activity_source(state: State) -> str:
    activity = state.activity
    if activity.value is None:
        return activity.source
    if activity.value.mean_of >= 60:
        minute = datetime.fromtimestamp(activity.value.ended, UTC).strftime("%H:%M")
        return f"{activity.source} · the minute to {minute}"
    return f"{activity.source} · mean of {activity.value.mean_of} s"


def _queue_source(state: State) -> str:
    parts = [state.depth.source, f"each {span(round(state.depth.every, 1))}"]
    oldest = flow(state).oldest
    if isinstance(oldest, Absent):
        parts.append(f"oldest {DASH} {oldest.reason}")
    return " · ".join([*parts, f"in, out: {state.activity.source}"])


# In the order in which they are dropped, from the end, where there is no room.
PANES = {
    "queue": Pane("Queue", ("depth",), queue.lines, _queue_source),
    "throughput": Pane("Throughput", ("activity",), activity_panels.throughput, _activity_source),
    "lambda": Pane(
        "Lambda", ("activity",), activity_panels.function, _activity_source, f"errors in {_MINUTES}"
    ),
    "dynamodb": Pane(
        "DynamoDB",
        ("tables", "activity"),
        activity_panels.tables,
        lambda state: f"DescribeTable · {state.activity.source}",
        f"types in {_MINUTES}",
    ),
    "alerts": Pane(
        "Alerts", ("alerts",), alert_panels.alerts, lambda state: f"{state.alerts.source} indexes"
    ),
    "alarms": Pane("Alarms", ("alarms",), alert_panels.alarms, lambda state: state.alarms.source),
}


def render(state: State, width: int, height: int, glyphs: Glyphs) -> Frame:
    """One frame of exactly this size."""
    lines = [glyphs.of(header(state, width))]
    rows = arrange(width, height - 1)
    for tall, places in rows:
        lines += beside([_pane(name, state, (wide, tall), glyphs) for name, wide in places])
    if not rows and height > 1:
        waiting = count(state.depth.value.total) if state.depth.value else DASH
        lines.append(glyphs.of(cut(Text(f" {waiting} queued"), width)))
    return Frame(lines)


def _pane(name: str, state: State, size: tuple[int, int], glyphs: Glyphs) -> list[Text]:
    pane = PANES[name]
    readings: list[Reading[Any]] = [getattr(state, reading) for reading in pane.readings]
    trouble = next((found for reading in readings if (found := reading.trouble(state.now))), None)
    inner, tall = size[0] - BORDERS, size[1] - 2
    if all(reading.value is None for reading in readings):
        lines = _nothing(readings[0], inner)
    else:
        lines = pane.lines(state, inner, tall, glyphs)
    title = Text().append(pane.title, "bold")
    late = max(
        (found.age(state.now) for found in readings if found.value and found.is_late(state.now)), default=0
    )
    if late:
        title.append(f" · {span(round(late))} old", _TROUBLE)
    elif pane.note:
        title.append(f" · {pane.note}", LABEL)
    below = Text(f"▲ {trouble}", _TROUBLE) if trouble else Text(pane.source(state), LABEL)
    return panel(title, below, lines, size, "yellow" if trouble else "bright_black", glyphs)


def _nothing(reading: Reading[Any], width: int) -> list[Text]:
    if reading.problem is None:
        return [Text(f"waiting for {reading.source}", LABEL)]
    return [Text(line, _TROUBLE) for line in wrap(reading.problem, width)]
