"""The panels about what happened: alerts and alarms."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.cells import cell_len
from rich.text import Text

from dashboards.state import Alarm, State
from dashboards.values import span
from dashboards.view.charset import Glyphs
from dashboards.view.lines import LABEL, fitted
from tools.core.console import strip_control_chars

_KINDS = {"large order": "bold magenta", "rejected": "yellow", "conflict": "yellow"}
# CloudWatch's word, how it is shown, in which style, and how urgent it is.
_STATES = {
    "ALARM": ("▲ ALARM", "bold red", 0),
    "INSUFFICIENT_DATA": ("? no data", LABEL, 1),
    "OK": ("✓ OK", "green", 2),
}
_STATE_WIDTH = 10
# Ids have 36 characters at most in what the producer sends; a longer one is cut.
_ID_WIDTH = 36
_LEAST_WHAT = 50


def alerts(state: State, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    """The newest alerts, the newest first."""
    found = state.alerts.value or ()
    if not found:
        return [Text("none yet: no large order, no rejection", LABEL)][:height]
    lines = []
    for alert in found[:height]:
        line = Text()
        line.append(f"{_when(alert.at, state.now)}  ", LABEL)
        line.append(f"{alert.kind:<12}", _KINDS.get(alert.kind, "")).append(" ")
        what, event_id = (
            " ".join(strip_control_chars(alert.what).split()),
            strip_control_chars(alert.event_id),
        )
        beside = width - line.cell_len - _ID_WIDTH - 2
        if beside >= _LEAST_WHAT:
            line.append(fitted(what, beside)).append(f"  {event_id}", LABEL)
        else:
            line.append(what)
            if line.cell_len + 2 + cell_len(event_id) <= width:
                line.append(f"  {event_id}", LABEL)
        lines.append(line)
    return lines


def alarms(state: State, width: int, height: int, glyphs: Glyphs) -> list[Text]:
    """Each alarm and since when; where there is not room for all, the urgent ones and how many others."""
    found = sorted(state.alarms.value or (), key=_urgency)
    if not found:
        return [Text("no alarm has this pipeline's name", LABEL)][:height]
    if len(found) <= height:
        return [_alarm(alarm, state.now, width) for alarm in found]
    columns = 2 if width >= 76 else 1
    each = width // columns
    room = (height - 1) * columns if len(found) > height * columns else height * columns
    listed = [_alarm(alarm, state.now, each - columns + 1) for alarm in found[:room]]
    rows = height if room == height * columns else height - 1
    lines = []
    for number in range(rows):
        line = Text()
        for cell in listed[number::rows]:
            cell.pad_right(max(0, each - cell.cell_len))
            line.append_text(cell)
        lines.append(line)
    rest = found[room:]
    if rest:
        lines.append(Text(f"and {len(rest)} more: {summary(rest)}", LABEL))
    return lines[:height]


def summary(found: list[Alarm]) -> str:
    """How many alarms are in each state: ``1 ALARM, 9 OK``."""
    counts: dict[str, int] = {}
    for alarm in sorted(found, key=_urgency):
        word = _STATES.get(alarm.state, (f"? {alarm.state}", "", 1))[0].split(" ", 1)[1]
        counts[word] = counts.get(word, 0) + 1
    return ", ".join(f"{number} {word}" for word, number in counts.items())


def _urgency(alarm: Alarm) -> tuple[int, str]:
    return _STATES.get(alarm.state, ("", "", 1))[2], alarm.name


def _alarm(alarm: Alarm, now: float, width: int) -> Text:
    word, style, _ = _STATES.get(alarm.state, (f"? {alarm.state}", LABEL, 1))
    since = "" if alarm.since is None else span(max(0.0, round(now - alarm.since)))
    line = Text().append(fitted(word, _STATE_WIDTH), style)
    name_room = max(4, width - _STATE_WIDTH - 7)
    return line.append(fitted(strip_control_chars(alarm.name), name_room)).append(f"{since:>7}", LABEL)


def _when(at: float, now: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return moment.strftime("%H:%M:%S" if now - at < 86400 else "%d %b  ")
