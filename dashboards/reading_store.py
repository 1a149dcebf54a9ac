"""Where the collectors' threads leave what they found, and the frames pick it up."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dashboards.state import HISTORY, Depth, Reading, State

# Answers no older than this are as good as new.
_LATE_SECONDS = 8.0


class ReadingStore:
    """The last reading of each source. Safe to use from several threads."""

    def __init__(self, name: str, where: str, sources: Mapping[str, tuple[str, float]]) -> None:
        """``sources`` gives each reading of `State` its source's name and how often it is to be asked."""
        self._name = name
        self._where = where
        self._lock = threading.Lock()
        self._readings: dict[str, Reading[Any]] = {
            reading: Reading(source, every, late_after=max(_LATE_SECONDS, 3 * every))
            for reading, (source, every) in sources.items()
        }
        self._history: deque[Depth] = deque()

    def put(self, reading: str, value: Any, at: float, problem: str | None = None) -> None:
        """Keep what a source said. ``problem`` is what it could not say."""
        with self._lock:
            self._readings[reading] = replace(self._readings[reading], value=value, at=at, problem=problem)
            if isinstance(value, Depth):
                self._history.append(value)
                while self._history[0].at < at - HISTORY:
                    self._history.popleft()

    def fail(self, reading: str, problem: str) -> None:
        """Keep what is wrong with a source; its last value stays."""
        with self._lock:
            self._readings[reading] = replace(self._readings[reading], problem=problem)

    def slow_down(self, reading: str, every: float) -> None:
        """Keep how often a source is asked now."""
        with self._lock:
            self._readings[reading] = replace(self._readings[reading], every=every)

    def state(self, now: float) -> State:
        """Everything known at a moment."""
        with self._lock:
            return State(now, self._name, self._where, history=tuple(self._history), **self._readings)
