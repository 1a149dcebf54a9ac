from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from dashboards.state import Alarm, Alert, State
from dashboards.view.charset import ASCII, UNICODE, Glyphs
from dashboards.view.layout import arrange
from dashboards.view.screen import PANES, render
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

STATES = {
    "at work": state(),
    "nothing yet": nothing_yet(),
    "nothing to be had": all_absent(),
    "failed at once": all_failed("SQS does not answer", with_values=False),
    "failed later": all_failed("a very long problem " * 20, with_values=True),
    "enormous": enormous(),
}
SIZES = [(80, 24), (120, 40), (200, 50), (76, 20), (109, 30), (110, 24), (40, 60), (30, 12), (20, 6), (1, 1)]


def drawn(known: State, width: int, height: int, glyphs: Glyphs = UNICODE) -> list[str]:
    """The lines of a frame, as a terminal without colours shows them."""
    console = Console(
        file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None, _environ={}
    )
    lines = console.render_lines(render(known, width, height, glyphs), console.options.update_height(height))
    return ["".join(segment.text for segment in line) for line in lines]


@pytest.mark.parametrize("known", STATES.values(), ids=STATES.keys())
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_frame_fills_the_screen_and_nothing_spills(known: State, width: int, height: int) -> None:
    lines = drawn(known, width, height)
    assert len(lines) == height
    assert {cell_len(line) for line in lines} == {width}


@pytest.mark.parametrize("known", STATES.values(), ids=STATES.keys())
@pytest.mark.parametrize(("width", "height"), [size for size in SIZES if size > (20, 5)])
def test_no_line_is_longer_than_the_screen_before_rich_crops_it(
    known: State, width: int, height: int
) -> None:
    first, *panels = render(known, width, height, UNICODE).lines
    assert first.cell_len <= width
    assert {line.cell_len for line in panels} == {width}


@settings(max_examples=60, deadline=None)
@given(width=st.integers(1, 240), height=st.integers(1, 70), known=st.sampled_from(list(STATES.values())))
def test_no_size_breaks_a_frame(width: int, height: int, known: State) -> None:
    assert [cell_len(line) for line in drawn(known, width, height)] == [width] * height


@settings(max_examples=200)
@given(width=st.integers(1, 300), height=st.integers(1, 100))
def test_panels_share_the_screen_out_without_gap_or_overlap(width: int, height: int) -> None:
    rows = arrange(width, height)
    assert not rows or sum(tall for tall, _ in rows) == height
    assert all(sum(wide for _, wide in places) == width for _, places in rows)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (200, 50)])
def test_every_panel_is_on_the_usual_screens(width: int, height: int) -> None:
    text = "\n".join(drawn(state(), width, height))
    assert [pane.title for pane in PANES.values() if pane.title not in text] == []


def test_at_80_by_24_no_line_of_a_pipeline_at_work_is_cut_off() -> None:
    known = state(
        alerts=reading((Alert(NOW, "large order", "1,000.01 EUR", "16ef6b01a43b5d41c42b0da3731d54b7"),))
    )
    assert [line for line in drawn(known, 80, 24) if "…" in line] == []


def test_a_small_screen_keeps_the_queue() -> None:
    assert any("visible" in line for line in drawn(state(), 40, 12))


def test_a_figure_that_cannot_be_had_is_a_dash_with_its_reason() -> None:
    text = "\n".join(drawn(state(), 80, 24))
    assert "throttles \N{EN DASH} not logged" in text
    assert "throttles \N{EN DASH} no metrics" in text


def test_where_nothing_can_be_had_no_panel_shows_a_zero() -> None:
    middle = "\n".join(drawn(all_absent(), 120, 40)[16:24])
    assert "cannot be had here" in middle
    assert " 0 " not in middle
    assert "0/s" not in middle


def test_a_panel_says_what_is_wrong_with_its_source_and_how_old_its_figures_are() -> None:
    text = "\n".join(drawn(all_failed("SQS does not answer", with_values=True), 80, 24))
    assert "Queue · 75 s old" in text
    assert "▲ SQS does not answer" in text
    assert "▲ 5 of 5 sources in trouble" in text


def test_a_panel_without_figures_says_why() -> None:
    text = "\n".join(drawn(all_failed("not allowed: sqs:GetQueueAttributes", with_values=False), 80, 24))
    assert text.count("not allowed: sqs:GetQueueAttributes") > 5


def test_before_the_first_answer_panels_say_whom_they_wait_for() -> None:
    assert "waiting for SQS" in "\n".join(drawn(nothing_yet(), 80, 24))


def test_each_panel_names_its_source() -> None:
    text = "\n".join(drawn(state(), 80, 24))
    for source in (
        "SQS · each 1 s",
        "log group · mean of 10 s",
        "DescribeTable",
        "DynamoDB indexes",
        "CloudWatch",
    ):
        assert source in text


def test_figures_of_cloudwatch_say_of_which_minute_they_are() -> None:
    told = activity(mean_of=60, ended=NOW - NOW % 60)
    text = "\n".join(drawn(state(activity=reading(told, source="CloudWatch")), 80, 24))
    assert "CloudWatch · the minute to " in text


def test_dead_letters_and_alarms_stand_in_the_first_line() -> None:
    first = drawn(state(history=depths([3], dead=12)), 80, 24)[0]
    assert "▲ 1 ALARM" in first
    assert "▲ 12 dead letters" in first


def test_without_colours_a_word_or_a_sign_says_the_same() -> None:
    text = "\n".join(
        drawn(state(history=depths([3], dead=12), activity=reading(activity(errors=2.0))), 80, 24)
    )
    for sign in ("▲ 12", "errors ▲ 2", "▲ ALARM", "✓ OK", "? no data"):
        assert sign in text


def test_alarms_that_do_not_fit_are_counted_and_the_urgent_ones_come_first() -> None:
    many = tuple(Alarm(f"alarm-{number:02}", "OK", NOW) for number in range(11))
    lines = drawn(state(alarms=reading((*many, ALARMS[1]))), 80, 24)
    alarms = "\n".join(line[40:] for line in lines)
    assert "▲ ALARM" in alarms
    assert "and 10 more: 10 OK" in alarms


def test_without_unicode_a_frame_is_ascii() -> None:
    for known in STATES.values():
        assert all(line.isascii() for line in drawn(known, 120, 40, ASCII))


def test_what_came_from_outside_cannot_command_the_terminal() -> None:
    nasty = "\x1b[2J\x07[red]\u202e\nline"
    known = state(
        alerts=reading((Alert(NOW, "rejected", nasty, nasty),)),
        alarms=reading((Alarm(nasty, "ALARM", NOW),)),
    )
    text = "".join(drawn(known, 200, 50))
    assert "[red]" in text
    assert not {"\x1b", "\x07", "\u202e", "\n"} & set(text)
