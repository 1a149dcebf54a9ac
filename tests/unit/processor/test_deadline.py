"""The function keeps clear of its own timeout, whatever it was set to."""

from __future__ import annotations

import pytest

from common.deadline import CallLimits, Deadline

# botocore's standard retry mode waits a random time of up to this before the second attempt.
LONGEST_PAUSE = 1.0


@pytest.mark.parametrize("timeout", [1, 2, 3, 5, 6, 10, 30, 60, 900])
def test_a_call_that_hangs_to_the_end_is_over_before_the_function_is(timeout: int) -> None:
    limits = CallLimits.of(timeout)
    worst = limits.attempts * limits.timeout + (limits.attempts - 1) * LONGEST_PAUSE
    latest = min(
        millis
        for millis in range(min(timeout, 20) * 1000 + 1)
        if Deadline(lambda: millis, limits).allows_call()  # noqa: B023
    )
    assert latest / 1000 > worst


@pytest.mark.parametrize("timeout", [1, 2, 3, 5, 6, 10, 30, 60, 900])
def test_a_third_of_the_time_at_least_is_for_work(timeout: int) -> None:
    assert Deadline(lambda: timeout * 667, CallLimits.of(timeout)).allows_call()


def test_a_pause_that_would_cost_the_next_call_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("common.deadline.time.sleep", pauses.append)
    Deadline(lambda: 30_000, CallLimits.of(30)).pause(0.2)
    Deadline(lambda: 11_600, CallLimits.of(30)).pause(0.2)
    assert pauses == [0.2]
