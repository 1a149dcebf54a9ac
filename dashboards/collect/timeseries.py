"""Keep counts by second and recent samples, from which rates, totals and charts are made."""

import math
from collections import Counter, deque
from collections.abc import Sequence

from dashboards.state import HISTORY, Series
from dashboards.values import Absent, Value

_NO_COUNTS: Counter[str] = Counter()


class CountsBySecond:
    """Counts of several names by second, for the last `HISTORY` seconds."""

    def __init__(self) -> None:
        self._seconds: dict[int, Counter[str]] = {}

    def add(self, time: float, counts: Counter[str]) -> None:
        """Add counts to the second of a time."""
        self._seconds.setdefault(int(time), Counter()).update(counts)

    def expire(self, now: float) -> None:
        """Drop counts older than `HISTORY`."""
        oldest = now - HISTORY
        for second in [second for second in self._seconds if second < oldest]:
            del self._seconds[second]

    def rate(self, name: str, now: float, seconds: int) -> float:
        """Return the mean per second over the last whole seconds."""
        end = int(now)
        return sum(self._seconds.get(n, _NO_COUNTS)[name] for n in range(end - seconds, end)) / seconds

    def total(self, name: str) -> int:
        """Return the sum over all seconds."""
        return sum(counts[name] for counts in self._seconds.values())

    def series(self, name: str, since: float, now: float) -> Series:
        """Return the counts by second, known from ``since`` up to the last whole second."""
        values = {second: float(counts[name]) for second, counts in self._seconds.items() if counts[name]}
        return Series(1, math.ceil(since), int(now) - 1, values)


class RecentSamples:
    """The numbers of the last seconds, each with its time."""

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds
        self._samples: deque[tuple[float, float]] = deque()

    def add(self, time: float, values: Sequence[float]) -> None:
        """Add numbers. Times must not decrease."""
        self._samples.extend((time, value) for value in values)

    def expire(self, now: float) -> None:
        """Drop numbers that are too old."""
        while self._samples and self._samples[0][0] < now - self._seconds:
            self._samples.popleft()

    def quantile(self, fraction: float, reason: str) -> Value:
        """Return the value that this fraction of the numbers does not exceed, or absent for this reason."""
        if not self._samples:
            return Absent(reason)
        ordered = sorted(value for _, value in self._samples)
        return ordered[min(len(ordered) - 1, max(0, math.ceil(fraction * len(ordered)) - 1))]

    def peak_concurrency(self) -> int:
        """Return the most intervals that overlap. A sample is an interval's end and its milliseconds."""
        edges = sorted(
            edge for end, millis in self._samples for edge in ((end - millis / 1000, 1), (end, -1))
        )
        peak = running = 0
        for _, change in edges:
            running += change
            peak = max(peak, running)
        return peak
