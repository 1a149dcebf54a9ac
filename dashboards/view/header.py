"""Draw the first line of the screen: the pipeline, what needs attention, the time."""

from datetime import UTC, datetime

from rich.text import Text

from dashboards.state import State
from dashboards.values import Absent, format_count
from dashboards.view.frame import truncate
from dashboards.view.lines import ERROR, LABEL, fit
from tools.core.text import strip_control_chars


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
