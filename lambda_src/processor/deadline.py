"""How long one AWS call may take, and whether there is still time for one."""

from __future__ import annotations

import time
from collections.abc import Callable

# Seconds before a second attempt, at most; as in botocore's standard retry mode (botocore.retries.standard).
LONGEST_PAUSE = 1.0


def attempts(function_timeout: float) -> int:
    """How often an AWS call is tried: twice, where the function has the time for a pause in between."""
    return 2 if function_timeout >= 6 * LONGEST_PAUSE else 1


def call_timeout(function_timeout: float) -> float:
    """Seconds that one attempt of one AWS call may take to connect, and again to answer.

    A sixth of the function's timeout, at most 5 s: a call that hangs, its retry included, then takes less
    than the time that the function has, so a hanging service ends as messages handed back, not as a
    timeout that fails the whole batch.
    """
    return min(5.0, function_timeout / 6)


class Deadline:
    """Keeps an invocation clear of its own timeout."""

    def __init__(self, remaining_millis: Callable[[], int], function_timeout: float) -> None:
        self._remaining_millis = remaining_millis
        # Every attempt runs to its timeout, with a pause before the second; then there is an answer to give.
        attempt = call_timeout(function_timeout)
        tries = attempts(function_timeout)
        self._reserve = tries * attempt + (tries - 1) * LONGEST_PAUSE + min(0.5, attempt / 2)

    def allows_call(self) -> bool:
        """Whether an AWS call begun now is over before the function's timeout, even if the service hangs."""
        return self._remaining_millis() / 1000 > self._reserve

    def pause(self, seconds: float) -> None:
        """Wait, unless that would use up the time for another call."""
        if self._remaining_millis() / 1000 - seconds > self._reserve:
            time.sleep(seconds)
