"""Hold the last reading of each source: collector threads write it, frames read it."""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dashboards.state import HISTORY, Depth, Reading, State

# A value is never called late before this age, in seconds.
_MIN_LATE_AFTER = 8.0


class ReadingStore:
    """The last reading of each source. Several threads may use it at the same time."""

    def __init__(self, name: str, location: str, sources: Mapping[str, tuple[str, float]]) -> None:
        """Create an empty store. ``sources`` maps each reading of `State` to its source and its interval."""
        self._name = name
        self._location = location
        self._lock = threading.Lock()
        self._readings: dict[str, Reading[Any]] = {
            reading: Reading(source, interval, late_after=max(_MIN_LATE_AFTER, 3 * interval))
            for reading, (source, interval) in sources.items()
        }
        self._history: deque[Depth] = deque()

    def put(self, reading: str, value: Any, read_at: float, error: str | None = None) -> None:
        """Store a value. ``error`` describes what a source could not read."""
        with self._lock:
            self._update(reading, value=value, read_at=read_at, error=error)
            if isinstance(value, Depth):
                self._history.append(value)
                while self._history[0].read_at < read_at - HISTORY:
                    self._history.popleft()

    def put_error(self, reading: str, error: str) -> None:
        """Store the error of a source. Its last value stays."""
        with self._lock:
            self._update(reading, error=error)

    def set_interval(self, reading: str, interval: float) -> None:
        """Store how often a source is read now."""
        with self._lock:
            self._update(reading, interval=interval)

    def state(self, now: float) -> State:
        """Return everything that is known at a moment."""
        with self._lock:
            return State(now, self._name, self._location, history=tuple(self._history), **self._readings)

    def _update(self, reading: str, **changes: Any) -> None:
        self._readings[reading] = replace(self._readings[reading], **changes)
