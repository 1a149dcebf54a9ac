from __future__ import annotations

from dashboards.queue_flow import drain_eta, growth_rate, oldest_upper_bound, queue_flow
from dashboards.values import Absent
from tests.unit.dashboards.builders import activity, depths, reading, state


def test_the_drain_eta_is_the_depth_divided_by_the_rate_at_which_it_shrinks() -> None:
    assert drain_eta(depths(range(300, 100, -10))) == 11.0  # 110 left, 10 a second


def test_only_the_last_five_seconds_determine_the_drain_eta() -> None:
    rising_then_falling = [*range(0, 1000, 50), *range(1000, 940, -10)]
    assert drain_eta(depths(rising_then_falling)) == 95.0


def test_the_drain_eta_of_an_empty_queue_is_zero() -> None:
    assert drain_eta(depths([5, 0])) == 0.0


def test_a_queue_that_does_not_shrink_has_a_reason_instead_of_a_drain_eta() -> None:
    assert drain_eta(depths(range(20))) == Absent("the queue grows")
    assert drain_eta(depths([7] * 20)) == Absent("the queue is steady")


def test_one_reading_gives_no_growth_rate() -> None:
    assert growth_rate(depths([7]), 10) is None
    assert isinstance(drain_eta(depths([7])), Absent)


def test_the_rate_in_is_the_rate_out_plus_the_growth_of_the_queue() -> None:
    assert queue_flow(state(history=depths(range(0, 200, 10)))).sent == 130.0


def test_the_rate_in_comes_from_cloudwatch_if_it_has_one() -> None:
    measured = activity(sent=77.0, oldest=42.0)
    flow = queue_flow(state(activity=reading(measured)))
    assert (flow.sent, flow.oldest, flow.oldest_is_upper_bound) == (77.0, 42.0, False)


def test_rates_are_not_derived_from_a_late_log() -> None:
    flow = queue_flow(state(activity=reading(activity(), source="log group", age=60)))
    assert flow.deleted == flow.sent == Absent("log group is late")


def test_the_oldest_message_is_younger_than_the_last_empty_reading() -> None:
    assert oldest_upper_bound(depths([9, 0, 5, 5, 5])) == 3.0


def test_the_age_of_the_oldest_message_is_absent_if_the_queue_was_never_seen_empty() -> None:
    assert oldest_upper_bound(depths([9, 8, 7])) == Absent("never seen empty")
