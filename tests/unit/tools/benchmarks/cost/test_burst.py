"""How long a mapping needs for events that arrive at once, in numbers that can be worked out by hand."""

from __future__ import annotations

import pytest

from tools.benchmarks.cost.capacity import drain


def test_the_rate_grows_by_five_batches_a_second_while_events_wait() -> None:
    # In 4 s of the ramp from 5 to 25 batches: 60 batch seconds of 10 events.
    assert drain(600, rate=10, most=1000) == pytest.approx((4, 25))


def test_the_highest_concurrency_is_not_exceeded() -> None:
    # The ramp to 50 batches takes 9 s, in which 2,475 events are processed.
    assert drain(2475 + 500, rate=10, most=50) == pytest.approx((10, 50))


def test_a_concurrency_below_the_start_works_from_the_beginning() -> None:
    assert drain(1000, rate=1000, most=0.1) == pytest.approx((10, 0.1))
