"""The mapping's scaling, on courses that can be worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.benchmarks.cost.simulation import Scaling, simulate

STANDARD = Scaling.standard()


def test_a_trickle_needs_no_more_than_one_second() -> None:
    course = simulate([10.0] * 60, STANDARD, batch=10, batch_seconds=0.1)
    assert course.drained_after == 60
    assert course.oldest == 0
    assert course.peak_concurrency == pytest.approx(0.1)


def test_a_burst_is_drained_at_a_pace_that_grows_by_five_batches_a_second() -> None:
    # A batch a second each: 5, 10, 15, 20 batches of 10 in the first four seconds.
    course = simulate([500.0], STANDARD, batch=10, batch_seconds=1)
    assert course.drained_after == 4
    assert course.peak_concurrency == 20


def test_maximum_concurrency_holds() -> None:
    course = simulate([100_000.0], Scaling.standard(50), batch=10, batch_seconds=1)
    assert course.peak_concurrency == 50
    assert course.peak_in_flight == 500


def test_provisioned_pollers_are_there_from_the_first_second() -> None:
    standard = simulate([100_000.0] * 60, Scaling.standard(), batch=10, batch_seconds=0.1)
    provisioned = simulate([100_000.0] * 60, Scaling.provisioned(100), batch=10, batch_seconds=0.1)
    assert provisioned.drained_after == 60
    assert standard.oldest > provisioned.oldest == 0


def test_what_is_behind_the_function_sets_the_pace() -> None:
    course = simulate([1000.0], STANDARD, batch=10, batch_seconds=0.01, ceiling=100)
    assert course.drained_after == 10
    assert course.peak_rate == 100


def test_a_queue_that_is_fed_faster_than_it_drains_is_said_so() -> None:
    course = simulate([100.0] * 100, STANDARD, batch=10, batch_seconds=1, ceiling=50, at_most=100)
    assert course.drained_after is None
    # Half of what came is done: the last one taken came in second 49, and it is second 99.
    assert course.oldest == 50


@settings(deadline=None)
@given(
    arrivals=st.lists(st.integers(0, 5000), min_size=1, max_size=60),
    batch_seconds=st.floats(0.05, 2),
    most=st.integers(2, 1000),
)
def test_nothing_is_lost_and_no_bound_is_passed(arrivals: list[int], batch_seconds: float, most: int) -> None:
    course = simulate([float(one) for one in arrivals], Scaling.standard(most), 10, batch_seconds)
    assert course.processed == pytest.approx(sum(arrivals))
    assert course.peak_concurrency <= most
    assert course.drained_after is not None
    assert course.drained_after >= len(arrivals)
