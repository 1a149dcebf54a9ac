"""The scaling of a mapping, in bursts that can be worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.benchmarks.cost.burst import Scaling, simulate_burst

STANDARD = Scaling.standard()


def test_a_low_rate_never_waits() -> None:
    result = simulate_burst(10, 60, STANDARD, batch=10, invocation_seconds=0.1)
    assert result.drained_after == 60
    assert result.longest_wait == 0
    assert result.peak_concurrency == pytest.approx(0.1)


def test_the_rate_grows_by_five_batches_a_second_under_a_backlog() -> None:
    # Invocations of a second: 5, 10, 15 and 20 batches of 10 in the first four seconds.
    result = simulate_burst(500, 1, STANDARD, batch=10, invocation_seconds=1)
    assert result.drained_after == 4
    assert result.longest_wait == 3
    assert result.peak_concurrency == 20


def test_maximum_concurrency_is_not_exceeded() -> None:
    result = simulate_burst(100_000, 1, Scaling.standard(50), batch=10, invocation_seconds=1)
    assert result.peak_concurrency == 50
    assert result.peak_rate == 500


def test_provisioned_pollers_work_from_the_first_second() -> None:
    standard = simulate_burst(100_000, 60, Scaling.standard(), batch=10, invocation_seconds=0.1)
    provisioned = simulate_burst(100_000, 60, Scaling.provisioned(100), batch=10, invocation_seconds=0.1)
    assert provisioned.drained_after == 60
    assert standard.longest_wait > provisioned.longest_wait == 0


def test_the_tables_write_limit_sets_the_rate() -> None:
    result = simulate_burst(1000, 1, STANDARD, batch=10, invocation_seconds=0.01, write_limit=100)
    assert result.drained_after == 10
    assert result.peak_rate == 100


def test_events_that_arrive_faster_than_they_are_stored_wait_longer_and_longer() -> None:
    result = simulate_burst(100, 100, STANDARD, batch=10, invocation_seconds=1, write_limit=50)
    # Half of the events are stored when the last one arrives.
    assert result.drained_after == 200
    assert result.longest_wait == 100


@settings(deadline=None)
@given(
    rate=st.integers(1, 5000),
    seconds=st.integers(1, 60),
    invocation_seconds=st.floats(0.05, 2),
    maximum=st.integers(2, 1000),
)
def test_every_event_is_processed_within_the_maximum(
    rate: int, seconds: int, invocation_seconds: float, maximum: int
) -> None:
    result = simulate_burst(rate, seconds, Scaling.standard(maximum), 10, invocation_seconds)
    assert result.processed == pytest.approx(rate * seconds)
    assert result.peak_concurrency <= maximum * (1 + 1e-9)
    assert result.drained_after >= seconds
