from __future__ import annotations

import pytest

from dashboards.state import Series
from dashboards.view import timeline
from dashboards.view.chart import draw_bars, nice_ceiling
from tests.unit.dashboards.builders import NOW, activity, depths, reading, state


def test_the_highest_column_reaches_the_top_and_the_others_are_in_proportion() -> None:
    assert draw_bars([8, 4, 2], 1, 8) == ["█▄▂"]
    assert draw_bars([16, 8], 2, 16) == ["█ ", "██"]


def test_an_unknown_value_is_a_gap_and_zero_is_a_line() -> None:
    assert draw_bars([None, 0, 8], 1, 8) == [" ▁█"]


def test_a_very_small_value_looks_different_from_zero() -> None:
    assert draw_bars([0, 0.001], 1, 1000) == ["▁▂"]


@pytest.mark.parametrize(
    ("value", "ceiling"), [(0, 1), (1, 1), (7, 8), (101, 200), (2400, 3000), (9001, 10_000)]
)
def test_scales_end_at_round_numbers(value: float, ceiling: float) -> None:
    assert nice_ceiling(value) == ceiling


def test_columns_cover_more_seconds_as_the_history_gets_longer() -> None:
    assert timeline.make_axis(state(history=depths([1] * 30)), 60).step == 1
    assert timeline.make_axis(state(history=depths([1] * 100)), 60).step == 2
    assert timeline.make_axis(state(history=depths([1] * 900)), 60).step == 3


def test_a_reading_is_valid_until_the_next_one() -> None:
    current = state(history=depths([5, 9], interval=2.0))
    axis = timeline.make_axis(current, 4)
    assert timeline.depth_columns(current, axis) == [None, 5.0, 5.0, 9.0]


def test_a_reading_expires_if_the_next_one_is_overdue() -> None:
    current = state(history=depths([5, 9], interval=30.0))
    assert None in timeline.depth_columns(current, timeline.make_axis(current, 40))


def test_the_depth_before_the_program_started_comes_from_cloudwatch() -> None:
    minute = int(NOW // 60)
    older = Series(60, minute - 10, minute, dict.fromkeys(range(minute - 10, minute + 1), 33.0), default=None)
    current = state(history=depths([5]), activity=reading(activity(series={"depth": older})))
    assert timeline.depth_columns(current, timeline.make_axis(current, 3)) == [33.0, 33.0, 5.0]


def test_arrivals_are_derived_from_the_log_and_the_counters() -> None:
    current = state(history=depths(range(0, 300, 10)))
    columns = timeline.arrival_columns(current, timeline.make_axis(current, 10))
    assert columns[-4:-1] == [130.0, 130.0, 130.0]


def test_the_mean_of_a_minute_fills_each_of_its_columns() -> None:
    minute = int(NOW // 60)
    by_minute = Series(60, minute - 2, minute - 1, {minute - 2: 5.0}, default=None)
    axis = timeline.TimeAxis(3, (60 * (minute - 2), 60 * (minute - 1), 60 * minute))
    assert timeline.rate_columns(by_minute, axis) == [5.0, None, None]
