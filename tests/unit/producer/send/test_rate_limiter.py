from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.generate.profiles import PROFILES, Timetable
from producer.send.rate_limiter import RateLimiter


class Clock:
    """A clock that a test advances."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep_until(self, moment: float) -> None:
        self.now = max(self.now, moment)


def count_sent(limiter: RateLimiter, clock: Clock, seconds: float, batch: int) -> int:
    """Return how many events an infinitely fast sender sends in ``seconds``."""
    end, sent = clock.now + seconds, 0
    while True:
        send_at = limiter.reserve(batch)
        if send_at >= end:
            return sent
        clock.sleep_until(send_at)
        sent += batch


@settings(deadline=None)
@given(st.floats(5, 20_000))
def test_the_rate_is_kept_within_2_percent_over_10_seconds(rate: float) -> None:
    clock = Clock()
    limiter = RateLimiter(rate, clock)
    sent = count_sent(limiter, clock, 10, limiter.batch_size(10))
    assert sent == pytest.approx(rate * 10, rel=0.02, abs=1)


def test_a_low_rate_sends_events_one_by_one() -> None:
    assert RateLimiter(20).batch_size(10) == 1


def test_a_high_rate_fills_batches() -> None:
    assert RateLimiter(1000).batch_size(10) == 10


def test_without_a_rate_no_request_waits() -> None:
    limiter = RateLimiter(0)
    assert limiter.batch_size(10) == 10
    assert [limiter.reserve(10) for _ in range(3)] == [0, 0, 0]


def test_the_time_to_prepare_a_run_does_not_count_as_a_stall() -> None:
    clock = Clock()
    limiter = RateLimiter(100, clock)
    clock.now += 0.5
    assert count_sent(limiter, clock, 1, 10) == pytest.approx(100, abs=10)


def test_the_limiter_makes_up_for_a_short_stall() -> None:
    clock = Clock()
    limiter = RateLimiter(100, clock)
    limiter.reserve(10)
    clock.now += 0.5
    assert count_sent(limiter, clock, 0.5, 10) == pytest.approx(90, abs=10)


def test_the_limiter_does_not_make_up_for_a_long_stall() -> None:
    clock = Clock()
    limiter = RateLimiter(100, clock)
    limiter.reserve(10)
    clock.now += 60
    assert count_sent(limiter, clock, 1, 10) == pytest.approx(200, abs=10)


def test_a_profile_changes_the_rate_and_keeps_the_average() -> None:
    clock = Clock()
    speeds = Timetable(PROFILES["flash-sale"], 1_000, 3_000).speed
    limiter = RateLimiter(100, clock, speeds)
    times = [limiter.reserve(1) for _ in range(3_000)]
    assert times[-1] - times[0] == pytest.approx(30, rel=0.05)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert max(gaps) > 10 * min(gaps)


def test_a_resumed_run_continues_the_profile_where_it_stopped() -> None:
    speeds = Timetable(PROFILES["burst"], 1_000, 1_000).speed
    whole, resumed = RateLimiter(10, Clock(), speeds), RateLimiter(10, Clock(), speeds, sent=700)
    times = [whole.reserve(1) for _ in range(1_000)]
    rest = [resumed.reserve(1) for _ in range(300)]
    assert rest[-1] - rest[0] == pytest.approx(times[-1] - times[700])
