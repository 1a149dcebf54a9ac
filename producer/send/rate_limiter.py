"""A steady rate over all connections."""

import threading
import time
from collections.abc import Callable

# After a stall the rate is made up for, but not more than this: a queue that was away for a minute is not
# met with a minute's worth of events at once.
_CATCH_UP_SECONDS = 1.0
# A request carries at most this much of a second's events, so that a low rate is smooth as well.
_REQUEST_SECONDS = 0.05


class RateLimiter:
    """Hands out the times at which events may be sent. ``rate`` is events per second; 0 means no limit."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        # The clock starts with the first request, not while the run is being prepared.
        self._next: float | None = None
        self._lock = threading.Lock()

    def largest_batch(self, wanted: int) -> int:
        """How many events a request should carry so that they flow rather than come in lumps."""
        if not self._rate:
            return wanted
        return max(1, min(wanted, int(self._rate * _REQUEST_SECONDS)))

    def due(self, events: int) -> float:
        """Reserve the sending of ``events`` events. Returns when to send them, as the clock tells time."""
        if not self._rate:
            return 0.0
        with self._lock:
            now = self._clock()
            due = now if self._next is None else max(self._next, now - _CATCH_UP_SECONDS)
            self._next = due + events / self._rate
        return due
