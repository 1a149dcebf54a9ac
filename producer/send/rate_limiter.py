"""Limits all connections of a run to one rate, steady or by a profile."""

import threading
import time
from collections.abc import Callable

# The limiter makes up for at most this much of a stall, so that a queue does not receive a minute's events
# at once after it was unavailable for a minute.
_MAX_CATCH_UP_SECONDS = 1.0
# A request carries at most this much of a second's events, so that a low rate is smooth.
_MAX_REQUEST_SECONDS = 0.05


class RateLimiter:
    """Assigns the times at which events may be sent. ``rate`` is events per second; 0 means no limit.

    ``speed`` returns how many times the rate applies after a number of events. ``sent`` events were sent
    before the run was resumed.
    """

    def __init__(
        self,
        rate: float,
        clock: Callable[[], float] = time.monotonic,
        speed: Callable[[int], float] | None = None,
        sent: int = 0,
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._speed = speed
        self._sent = sent
        # None until the first request, because preparing a run must not count as a stall.
        self._next: float | None = None
        self._lock = threading.Lock()

    def batch_size(self, max_entries: int) -> int:
        """Return how many events a request should carry, at most ``max_entries``."""
        if not self._rate:
            return max_entries
        return max(1, min(max_entries, int(self._rate * _MAX_REQUEST_SECONDS)))

    def reserve(self, events: int) -> float:
        """Reserve the sending of ``events`` events. Returns the time of the clock at which to send them."""
        if not self._rate:
            return 0.0
        with self._lock:
            now = self._clock()
            send_at = now if self._next is None else max(self._next, now - _MAX_CATCH_UP_SECONDS)
            rate = self._rate * self._speed(self._sent) if self._speed else self._rate
            self._next = send_at + events / rate
            self._sent += events
        return send_at
