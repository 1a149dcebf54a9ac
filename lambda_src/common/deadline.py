"""How long one AWS call may take, and whether there is time for another."""

import time
from collections.abc import Callable
from typing import NamedTuple, Self

from aws_http.service import LONGEST_PAUSE


class CallLimits(NamedTuple):
    """Limits of one AWS call: seconds for each attempt (to connect, and again to answer), and attempts."""

    timeout: float
    attempts: int

    @classmethod
    def of(cls, function_timeout: float, share: int = 6) -> Self:
        """Return the limits for a function with this timeout, in seconds.

        An attempt takes a ``share``-th of the timeout, at most 5 s. There is a second attempt where the
        function has time for a pause. So a call that hangs ends before the function does.
        """
        return cls(min(5.0, function_timeout / share), 2 if function_timeout >= 6 * LONGEST_PAUSE else 1)

    @property
    def longest_call(self) -> float:
        """Seconds of a call in which every attempt runs to its timeout."""
        return self.attempts * self.timeout + (self.attempts - 1) * LONGEST_PAUSE


class Deadline:
    """Keeps an invocation clear of its own timeout."""

    def __init__(self, remaining_millis: Callable[[], int], limits: CallLimits) -> None:
        self._remaining_millis = remaining_millis
        # After the last call, the response must still be returned.
        self._reserve = limits.longest_call + min(0.5, limits.timeout / 2)

    def allows_call(self) -> bool:
        """Whether a call that starts now ends before the function's timeout, even if the service hangs."""
        return self._remaining_millis() / 1000 > self._reserve

    def pause(self, seconds: float) -> None:
        """Wait, unless that would use up the time for another call."""
        if self._remaining_millis() / 1000 - seconds > self._reserve:
            time.sleep(seconds)
