"""Draw the panels of alerts and alarms."""

from collections import Counter
from datetime import UTC, datetime

from rich.cells import cell_len
from rich.text import Text

from dashboards.state import Alarm, Alert, State
from dashboards.values import format_seconds
from dashboards.view.lines import ERROR, LABEL, fit
from tools.core.text import strip_control_chars

_KIND_STYLES = {"large order": "bold magenta", "rejected": "bold", "conflict": "bold"}
# By CloudWatch's state: text, style and urgency.
_ALARM_STATES = {
    "ALARM": ("▲ ALARM", ERROR, 0),
    "INSUFFICIENT_DATA": ("? no data", LABEL, 1),
    "OK": ("✓ OK", "", 2),
}
_STATE_WIDTH = 10
# The producer's ids have up to 36 characters, as message ids have. Longer ids are cut off.
_ID_WIDTH = 36
_MIN_DETAIL_WIDTH = 10


def draw_alerts(state: State, width: int, height: int) -> list[Text]:
    """Draw the newest alerts, newest first."""
    alerts = state.alerts.value or ()
    if not alerts:
        return [Text("none yet: no large order, no rejection", LABEL)][:height]
    return [_alert_line(alert, state.now, width) for alert in alerts[:height]]


def _alert_line(alert: Alert, now: float, width: int) -> Text:
    line = Text().append(f"{_format_time(alert.time, now)}  ", LABEL)
    line.append(fit(strip_control_chars(alert.kind), 12), _KIND_STYLES.get(alert.kind, "")).append(" ")
    detail = strip_control_chars(" ".join(alert.detail.split()))
    shown_id = strip_control_chars(alert.event_id or alert.message_id)
    shown_id = fit(shown_id, min(_ID_WIDTH, cell_len(shown_id)))
    detail_width = width - line.cell_len - cell_len(shown_id) - 2
    if detail_width < _MIN_DETAIL_WIDTH:
        return line.append(detail)
    return line.append(fit(detail, detail_width)).append(f"  {shown_id}", LABEL)


def draw_alarms(state: State, width: int, height: int) -> list[Text]:
    """Draw each alarm and since when it has its state. If not all fit, draw the urgent ones and a summary."""
    alarms = sorted(state.alarms.value or (), key=_urgency)
    if not alarms:
        return [Text("no alarm has this pipeline's name", LABEL)][:height]
    if len(alarms) <= height:
        return [_alarm_line(alarm, state.now, width) for alarm in alarms]
    columns = 2 if width >= 76 else 1
    column_width = width // columns
    has_summary = len(alarms) > height * columns
    rows = height - 1 if has_summary else height
    room = rows * columns
    cells = [_alarm_line(alarm, state.now, column_width - columns + 1) for alarm in alarms[:room]]
    lines = []
    for number in range(rows):
        line = Text()
        for cell in cells[number::rows]:
            cell.pad_right(max(0, column_width - cell.cell_len))
            line.append_text(cell)
        lines.append(line)
    if has_summary:
        rest = alarms[room:]
        lines.append(Text(f"and {len(rest)} more: {_summarize(rest)}", LABEL))
    return lines


def _summarize(alarms: list[Alarm]) -> str:
    """Return how many alarms are in each state: ``1 ALARM, 9 OK``."""
    names = (_describe_state(alarm)[0].split(" ", 1)[1] for alarm in sorted(alarms, key=_urgency))
    return ", ".join(f"{count} {name}" for name, count in Counter(names).items())


def _urgency(alarm: Alarm) -> tuple[int, str]:
    return _describe_state(alarm)[2], alarm.name


def _describe_state(alarm: Alarm) -> tuple[str, str, int]:
    return _ALARM_STATES.get(alarm.state, (f"? {strip_control_chars(alarm.state)}", LABEL, 1))


def _alarm_line(alarm: Alarm, now: float, width: int) -> Text:
    text, style, _ = _describe_state(alarm)
    age = "" if alarm.since is None else format_seconds(max(0.0, round(now - alarm.since)))
    line = Text().append(fit(text, _STATE_WIDTH), style)
    name_width = max(4, width - _STATE_WIDTH - 7)
    return line.append(fit(strip_control_chars(alarm.name), name_width)).append(f"{age:>7}", LABEL)


def _format_time(time: float, now: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%H:%M:%S" if now - time < 86400 else "%d %b  ")
