from __future__ import annotations

import pytest

from dashboards.state import Series
from dashboards.view import timeline
from dashboards.view.charset import ASCII, UNICODE
from dashboards.view.chart import bars, nice_ceiling
from tests.unit.dashboards.builders import NOW, activity, depths, reading, state


def test_the_highest_column_reaches_the_top_and_the_others_their_share() -> None:
    assert bars([8, 4, 2], 1, 8, UNICODE) == ["█▄▂"]
    assert bars([16, 8], 2, 16, UNICODE) == ["█ ", "██"]


def test_what_is_not_known_is_a_gap_and_zero_is_a_line() -> None:
    assert bars([None, 0, 8], 1, 8, UNICODE) == [" ▁█"]


def test_next_to_nothing_differs_from_nothing() -> None:
    assert bars([0, 0.001], 1, 1000, UNICODE) == ["▁▂"]


def test_without_unicode_bars_are_ascii() -> None:
    assert all(line.isascii() for line in bars([0, 1, 2, 3, None], 3, 3, ASCII))


@pytest.mark.parametrize(
    ("most", "ceiling"), [(0, 1), (1, 1), (7, 8), (101, 200), (2400, 3000), (9001, 10_000)]
)
def test_scales_end_at_round_numbers(most: float, ceiling: float) -> None:
    assert nice_ceiling(most) == ceiling


def test_columns_are_seconds_at_first_and_longer_once_there_is_more_to_show() -> None:
    assert timeline.times(state(history=depths([1] * 30)), 60).step == 1
    assert timeline.times(state(history=depths([1] * 100)), 60).step == 2
    assert timeline.times(state(history=depths([1] * 900)), 60).step == 3


def test_a_reading_holds_until_the_next_one() -> None:
    known = state(history=depths([5, 9], every=2.0))
    over = timeline.times(known, 4)
    assert timeline.depths(known, over) == [None, 5.0, 5.0, 9.0]


def test_a_reading_does_not_hold_for_ever() -> None:
    known = state(history=depths([5, 9], every=30.0))
    assert None in timeline.depths(known, timeline.times(known, 40))


def test_before_the_program_started_the_depth_is_cloudwatchs() -> None:
    minute = int(NOW // 60)
    older = Series(60, minute - 10, minute, dict.fromkeys(range(minute - 10, minute + 1), 33.0), gap=None)
    known = state(history=depths([5]), activity=reading(activity(series={"depth": older})))
    assert timeline.depths(known, timeline.times(known, 3)) == [33.0, 33.0, 5.0]


def test_what_came_in_is_drawn_from_the_log_and_the_counters() -> None:
    known = state(history=depths(range(0, 300, 10)))
    columns = timeline.arrivals(known, timeline.times(known, 10))
    assert columns[-4:-1] == [130.0, 130.0, 130.0]


def test_a_minutes_mean_stands_in_each_of_its_columns() -> None:
    minute = int(NOW // 60)
    by_minute = Series(60, minute - 2, minute - 1, {minute - 2: 5.0}, gap=None)
    over = timeline.Times(3, (60 * (minute - 2), 60 * (minute - 1), 60 * minute))
    assert timeline.rates(by_minute, over) == [5.0, None, None]
