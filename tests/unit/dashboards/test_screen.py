from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from dashboards.state import Alarm, Alert, State
from dashboards.view.activity_panels import draw_throughput
from dashboards.view.layout import arrange
from dashboards.view.screen import PANELS, render
from dashboards.view.view import View
from tests.unit.dashboards.builders import (
    ALARMS,
    NOW,
    activity,
    all_absent,
    all_failed,
    depths,
    enormous,
    nothing_yet,
    reading,
    state,
)

PRINTED = View()
STATES = {
    "busy": state(),
    "nothing yet": nothing_yet(),
    "all absent": all_absent(),
    "failed at once": all_failed("SQS does not answer", with_values=False),
    "failed later": all_failed("a very long error " * 20, with_values=True),
    "enormous": enormous(),
}
SIZES = [(80, 24), (120, 40), (200, 50), (76, 20), (109, 30), (110, 24), (40, 60), (30, 12), (20, 6), (1, 1)]


def draw(current: State, width: int, height: int, view: View = PRINTED) -> list[str]:
    """Return the lines of a frame as a terminal without colours shows them."""
    console = Console(
        file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None, _environ={}
    )
    lines = console.render_lines(render(current, width, height, view), console.options.update_height(height))
    return ["".join(segment.text for segment in line) for line in lines]


@pytest.mark.parametrize("current", STATES.values(), ids=STATES.keys())
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_frame_has_exactly_the_size_of_the_screen(current: State, width: int, height: int) -> None:
    lines = draw(current, width, height)
    assert len(lines) == height
    assert {cell_len(line) for line in lines} == {width}


@pytest.mark.parametrize("current", STATES.values(), ids=STATES.keys())
@pytest.mark.parametrize(("width", "height"), [size for size in SIZES if size > (20, 5)])
def test_every_line_fits_the_screen_before_rich_crops_it(current: State, width: int, height: int) -> None:
    first, *panels = render(current, width, height).lines
    assert first.cell_len <= width
    assert {line.cell_len for line in panels} == {width}


@settings(max_examples=60, deadline=None)
@given(width=st.integers(1, 240), height=st.integers(1, 70), current=st.sampled_from(list(STATES.values())))
def test_no_size_breaks_a_frame(width: int, height: int, current: State) -> None:
    assert [cell_len(line) for line in draw(current, width, height)] == [width] * height


@settings(max_examples=200)
@given(width=st.integers(1, 300), height=st.integers(1, 100))
def test_panels_fill_the_screen_without_gap_or_overlap(width: int, height: int) -> None:
    rows = arrange(width, height)
    assert not rows or sum(row_height for row_height, _ in rows) == height
    assert all(sum(panel_width for _, panel_width in panels) == width for _, panels in rows)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (200, 50)])
def test_every_panel_is_on_screens_of_usual_sizes(width: int, height: int) -> None:
    text = "\n".join(draw(state(), width, height))
    assert [panel.title for panel in PANELS.values() if panel.title not in text] == []


def test_no_line_of_a_busy_pipeline_is_cut_off_at_80_by_24() -> None:
    current = state(
        alerts=reading((Alert(NOW, "large order", "1,000.01 EUR", "16ef6b01a43b5d41c42b0da3731d54b7"),))
    )
    assert [line for line in draw(current, 80, 24) if "…" in line] == []


def test_a_small_screen_keeps_the_queue() -> None:
    assert any("visible" in line for line in draw(state(), 40, 12))


def test_an_absent_value_is_a_dash_with_its_reason() -> None:
    text = "\n".join(draw(state(), 80, 24))
    assert "throttles \N{EN DASH} not logged" in text
    assert "throttles \N{EN DASH} no metrics" in text


def test_no_panel_shows_a_zero_for_an_absent_value() -> None:
    middle = "\n".join(draw(all_absent(), 120, 40)[16:24])
    assert "not available here" in middle
    assert " 0 " not in middle
    assert "0/s" not in middle


def test_a_panel_shows_the_error_of_its_source_and_the_age_of_its_values() -> None:
    text = "\n".join(draw(all_failed("SQS does not answer", with_values=True), 80, 24))
    assert "Queue · 75 s old" in text
    assert "▲ SQS does not answer" in text
    assert "▲ 5 of 5 sources in trouble" in text


def test_a_panel_without_values_shows_the_error() -> None:
    text = "\n".join(draw(all_failed("not allowed: sqs:GetQueueAttributes", with_values=False), 80, 24))
    assert text.count("not allowed: sqs:GetQueueAttributes") > 5


def test_panels_name_the_source_that_they_wait_for_before_its_first_answer() -> None:
    assert "waiting for SQS" in "\n".join(draw(nothing_yet(), 80, 24))


def test_each_panel_names_its_source() -> None:
    text = "\n".join(draw(state(), 80, 24))
    for source in (
        "SQS · each 1 s",
        "log group · mean of 10 s",
        "DescribeTable",
        "DynamoDB indexes",
        "CloudWatch",
    ):
        assert source in text


def test_values_of_cloudwatch_show_their_minute() -> None:
    measured = activity(window=60, window_end=NOW - NOW % 60)
    text = "\n".join(draw(state(activity=reading(measured, source="CloudWatch")), 80, 24))
    assert "CloudWatch · the minute to " in text


def test_dead_letters_and_alarms_are_in_the_first_line() -> None:
    first = draw(state(history=depths([3], dead_letters=12)), 80, 24)[0]
    assert "▲ 1 ALARM" in first
    assert "▲ 12 dead letters" in first


def test_every_colour_has_a_word_or_a_sign_of_the_same_meaning() -> None:
    text = "\n".join(
        draw(state(history=depths([3], dead_letters=12), activity=reading(activity(errors=2.0))), 80, 24)
    )
    for sign in ("▲ 12", "errors ▲ 2", "▲ ALARM", "✓ OK", "? no data"):
        assert sign in text


def test_urgent_alarms_come_first_and_alarms_that_do_not_fit_are_counted() -> None:
    many = tuple(Alarm(f"alarm-{number:02}", "OK", NOW) for number in range(11))
    lines = draw(state(alarms=reading((*many, ALARMS[1]))), 80, 24)
    alarms = "\n".join(line[40:] for line in lines)
    assert "▲ ALARM" in alarms
    assert "and 10 more: 10 OK" in alarms


def test_text_from_outside_cannot_control_the_terminal() -> None:
    nasty = "\x1b[2J\x07[red]\u202e\nline"
    current = state(
        alerts=reading((Alert(NOW, "rejected", nasty, nasty),)),
        alarms=reading((Alarm(nasty, "ALARM", NOW),)),
    )
    text = "".join(draw(current, 200, 50))
    assert "[red]" in text
    assert not {"\x1b", "\x07", "\u202e", "\n"} & set(text)


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (60, "latency     p50 130 ms  p95 2.4 s  queue p95 80 ms"),
        (44, "latency p50 130 ms  p95 2.4 s  queue 80 ms"),
        (36, "latency p95 2.4 s  queue p95 80 ms"),
        (30, "p50 130 ms"),
    ],
)
def test_the_latency_from_the_queue_is_shown_where_it_fits(width: int, line: str) -> None:
    lines = draw_throughput(state(), width, 5)
    assert line in lines[-1].plain


def test_a_window_that_is_too_small_says_what_it_leaves_out() -> None:
    assert draw(state(), 80, 20)[-1].strip() == "Too small for Alerts."
    assert draw(state(), 80, 20, view=View(has_keys=True))[-1].strip() == (
        "Too small for 5 Alerts. A number shows one."
    )
    assert draw(state(), 40, 12)[-1].strip() == "5 panels left out."
    assert not [line for line in draw(state(), 80, 24) if "Too small" in line]


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_alone_fills_the_screen(name: str) -> None:
    lines = draw(state(), 80, 24, view=View(has_keys=True, panel=name))
    assert PANELS[name].title in lines[1]
    assert (lines[1][0], lines[-1][0]) == ("╭", "╰")
    assert [cell_len(line) for line in lines] == [80] * 24


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_help_fits_every_screen(width: int, height: int) -> None:
    lines = draw(state(), width, height, view=View(has_keys=True, shows_help=True))
    assert [cell_len(line) for line in lines] == [width] * height


def test_a_printed_frame_offers_no_keys() -> None:
    assert "q quits" not in draw(state(), 80, 24)[0]
    assert "? help  q quits" in draw(state(alarms=reading(())), 120, 24, view=View(has_keys=True))[0]


def test_trouble_of_the_function_is_in_the_first_line_whatever_fits() -> None:
    current = state(activity=reading(activity(errors=2.0, table_throttles=5.0), source="log group"))
    assert "▲ 1 ALARM · ▲ 2 function errors · ▲ 5 table throttles" in draw(current, 80, 24)[0]
    assert draw(current, 20, 6)[0].startswith("▲ 1 ALARM")


def test_a_rejection_shows_its_id_at_80_by_24() -> None:
    event_id, message_id = "16ef6b01a43b5d41c42b0da3731d54b7", "9dc2bf75-3185-4fdb-82c7-07d86c69b8d3"
    current = state(
        alerts=reading(
            (
                Alert(NOW, "rejected", "$.amount must be a number, but is NaN", event_id, "m"),
                Alert(NOW, "rejected", "$ not JSON: it is cut off after 12 characters", "", message_id),
            )
        )
    )
    text = "\n".join(draw(current, 80, 24))
    assert event_id in text
    assert message_id in text


def test_trouble_is_bold_or_reverse_and_nothing_is_yellow_or_bright_black() -> None:
    for current in STATES.values():
        for line in render(current, 120, 40).lines:
            styles = " ".join(str(span.style) for span in line.spans)
            assert not {"yellow", "bright_black"} & set(styles.split())


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("5", View(panel="alerts")),
        ("55", View()),
        ("\t", View(panel="queue")),
        ("\t" * 7, View()),
        ("3\x1b", View()),
        ("?", View(shows_help=True)),
        ("?x", View()),
        (" ", View(is_frozen=True)),
        ("  x0", View()),
    ],
)
def test_keys_change_the_view(keys: str, expected: View) -> None:
    view = View()
    for key in keys:
        view = view.after(key)
    assert view == expected
