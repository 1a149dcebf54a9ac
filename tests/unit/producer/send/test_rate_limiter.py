from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.send.rate_limiter import RateLimiter


class Clock:
    """A clock that goes on only when told, or when somebody sleeps until a time."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep_until(self, moment: float) -> None:
        self.now = max(self.now, moment)


def sent_within(pacer: RateLimiter, clock: Clock, seconds: float, batch: int) -> int:
    """How many events a sender that takes no time sends in so many seconds."""
    end, sent = clock.now + seconds, 0
    while True:
        due = pacer.due(batch)
        if due >= end:
            return sent
        clock.sleep_until(due)
        sent += batch


@given(st.floats(5, 20_000))
def test_a_rate_is_held_within_2_percent_over_10_seconds(rate: float) -> None:
    clock = Clock()
    pacer = RateLimiter(rate, clock)
    sent = sent_within(pacer, clock, 10, pacer.largest_batch(10))
    assert sent == pytest.approx(rate * 10, rel=0.02, abs=1)


def test_at_a_low_rate_events_go_one_by_one() -> None:
    assert RateLimiter(20).largest_batch(10) == 1


def test_at_a_high_rate_batches_are_full() -> None:
    assert RateLimiter(1000).largest_batch(10) == 10


def test_without_a_rate_nothing_waits() -> None:
    pacer = RateLimiter(0)
    assert pacer.largest_batch(10) == 10
    assert [pacer.due(10) for _ in range(3)] == [0, 0, 0]


def test_time_spent_on_preparing_a_run_is_not_made_up_for() -> None:
    clock = Clock()
    pacer = RateLimiter(100, clock)
    clock.now += 0.5
    assert sent_within(pacer, clock, 1, 10) == pytest.approx(100, abs=10)


def test_a_short_stall_is_made_up_for() -> None:
    clock = Clock()
    pacer = RateLimiter(100, clock)
    pacer.due(10)
    clock.now += 0.5
    assert sent_within(pacer, clock, 0.5, 10) == pytest.approx(90, abs=10)


def test_a_long_stall_is_not_followed_by_a_flood() -> None:
    clock = Clock()
    pacer = RateLimiter(100, clock)
    pacer.due(10)
    clock.now += 60
    assert sent_within(pacer, clock, 1, 10) == pytest.approx(200, abs=10)
