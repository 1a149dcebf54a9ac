"""Counts by the second, so that rates, totals and charts come from one place."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Sequence

from dashboards.state import HISTORY, Series
from dashboards.values import Absent, Value


class Bins:
    """Counts of several names by the second, for the last `HISTORY` seconds."""

    def __init__(self) -> None:
        self._seconds: dict[int, Counter[str]] = {}

    def add(self, at: float, counts: Counter[str]) -> None:
        """Add counts to the second of a time."""
        self._seconds.setdefault(int(at), Counter()).update(counts)

    def forget(self, now: float) -> None:
        """Drop what is older than `HISTORY`."""
        oldest = now - HISTORY
        for second in [second for second in self._seconds if second < oldest]:
            del self._seconds[second]

    def rate(self, name: str, now: float, seconds: int) -> float:
        """Mean per second over the last whole seconds."""
        end = int(now)
        return sum(self._seconds.get(n, _NONE)[name] for n in range(end - seconds, end)) / seconds

    def total(self, name: str) -> int:
        """How many in all."""
        return sum(counts[name] for counts in self._seconds.values())

    def series(self, name: str, since: float, now: float) -> Series:
        """By the second; known from ``since`` up to the last second that is over."""
        values = {second: float(counts[name]) for second, counts in self._seconds.items() if counts[name]}
        return Series(1, math.ceil(since), int(now) - 1, values)


class Recent:
    """The numbers of the last seconds, each with its time."""

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds
        self._kept: deque[tuple[float, float]] = deque()

    def add(self, at: float, values: Sequence[float]) -> None:
        """Add numbers; times must not go back."""
        self._kept.extend((at, value) for value in values)

    def forget(self, now: float) -> None:
        """Drop what is too old."""
        while self._kept and self._kept[0][0] < now - self._seconds:
            self._kept.popleft()

    def quantile(self, share: float, nothing: str) -> Value:
        """The value that this share of the numbers does not exceed; ``nothing`` says why there is none."""
        if not self._kept:
            return Absent(nothing)
        ordered = sorted(value for _, value in self._kept)
        return ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))]

    def most_at_once(self) -> int:
        """Taking each as something that ended at its time and took so many milliseconds: the most at once."""
        edges = sorted(edge for end, took in self._kept for edge in ((end - took / 1000, 1), (end, -1)))
        most = running = 0
        for _, step in edges:
            running += step
            most = max(most, running)
        return most


_NONE: Counter[str] = Counter()
