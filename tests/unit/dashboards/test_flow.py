from __future__ import annotations

from dashboards.flow import drained_in, flow, oldest_bound, trend
from dashboards.values import Absent
from tests.unit.dashboards.builders import activity, depths, reading, state


def test_a_shrinking_queue_is_drained_in_what_is_left_over_how_fast_it_shrinks() -> None:
    assert drained_in(depths(range(300, 100, -10))) == 11.0  # 110 left, 10 a second


def test_only_the_last_five_seconds_say_how_fast_it_shrinks() -> None:
    rising_then_falling = [*range(0, 1000, 50), *range(1000, 940, -10)]
    assert drained_in(depths(rising_then_falling)) == 95.0


def test_an_empty_queue_is_drained() -> None:
    assert drained_in(depths([5, 0])) == 0.0


def test_a_growing_queue_has_no_time_to_drain_but_a_reason() -> None:
    assert drained_in(depths(range(20))) == Absent("the queue grows")
    assert drained_in(depths([7] * 20)) == Absent("the queue stands still")


def test_one_reading_is_no_trend() -> None:
    assert trend(depths([7]), 10) is None
    assert isinstance(drained_in(depths([7])), Absent)


def test_what_came_in_is_what_went_out_and_what_there_is_more_of() -> None:
    assert flow(state(history=depths(range(0, 200, 10)))).sent == 130.0


def test_what_came_in_is_taken_from_cloudwatch_where_it_knows() -> None:
    told = activity(sent=77.0, oldest=42.0)
    moving = flow(state(activity=reading(told)))
    assert (moving.sent, moving.oldest, moving.bounded) == (77.0, 42.0, False)


def test_rates_are_not_worked_out_from_an_old_log() -> None:
    moving = flow(state(activity=reading(activity(), source="log group", age=60)))
    assert moving.settled == moving.sent == Absent("log group is late")


def test_the_oldest_message_came_after_the_queue_was_last_empty() -> None:
    assert oldest_bound(depths([9, 0, 5, 5, 5])) == 3.0


def test_nothing_is_said_of_the_oldest_message_when_the_queue_was_never_seen_empty() -> None:
    assert oldest_bound(depths([9, 8, 7])) == Absent("never seen empty")
