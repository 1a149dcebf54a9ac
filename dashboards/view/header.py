"""The first line of the screen: which pipeline it is, what needs attention, the time."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.text import Text

from dashboards.state import State
from dashboards.values import Absent, count
from dashboards.view.frame import cut
from dashboards.view.lines import LABEL, fitted


def header(state: State, width: int) -> Text:
    """The line. Where there is little room, what needs attention comes before where and when."""
    name = f" {state.name} "
    clock = datetime.fromtimestamp(state.now, UTC).strftime("%H:%M:%S UTC")
    attention = " · ".join(attention_to(state))
    right = f"  {clock}  q quits "
    if len(name) + len(attention) + len(right) > width:
        right = ""
    room = max(0, width - len(name) - len(attention) - len(right))
    where = f" {state.where} "
    line = Text().append(name, "bold")
    line.append(fitted(where if len(where) <= room else "", room), LABEL)
    return cut(line.append(attention, "bold red").append(right, LABEL), width)


def attention_to(state: State) -> list[str]:
    """What a person on call should see first, in words, also where its panel has no room."""
    found = []
    alarming = [alarm for alarm in state.alarms.value or () if alarm.state == "ALARM"]
    if alarming:
        found.append(f"▲ {len(alarming)} ALARM")
    dead = state.depth.value.dead if state.depth.value else Absent("")
    if not isinstance(dead, Absent) and dead > 0:
        found.append(f"▲ {count(dead)} dead letters")
    silent = sum(reading.trouble(state.now) is not None for reading in state.readings)
    if silent:
        found.append(f"▲ {silent} of {len(state.readings)} sources in trouble")
    return found
