"""How the events of a run are spread over its time: a day's rhythm, a flash sale, bursts."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

STEADY, DAY = "steady", "day"


class Profile(NamedTuple):
    """The relative number of events in equal parts of a span of ``hours``."""

    hours: int
    weights: Sequence[int]


PROFILES = {
    STEADY: Profile(0, (1,)),
    # A part is an hour of the day, UTC: quiet at night, a peak at noon and a higher one in the evening.
    DAY: Profile(
        24, (8, 5, 3, 2, 2, 4, 10, 18, 26, 32, 36, 42, 48, 44, 38, 36, 38, 44, 54, 66, 72, 62, 38, 18)
    ),
    # Visitors gather, the sale begins, and the stock runs out.
    "flash-sale": Profile(3, (*[2] * 4, 3, 4, 6, 40, 60, 52, 36, 24, 16, 11, 8, 6, 5, 4, *[3] * 6)),
    "burst": Profile(1, (*[1] * 6, 30, *[1] * 9, 30, 30, *[1] * 7, 30, *[1] * 4)),
}


class Timetable:
    """When each of ``total`` events of a profile occurs within a span of ``span_ms`` milliseconds."""

    def __init__(self, profile: Profile, span_ms: int, total: int) -> None:
        weights = profile.weights
        self._weights = weights
        self._span_ms = span_ms
        self._total = max(1, total)
        self._sum = sum(weights)
        # Where each part begins among the events, in thousandths of an event times the sum of the weights.
        self._starts = [0, *(below * self._total * 1_000 for below in accumulate(weights))]

    def milliseconds(self, position: int, thousandths: int = 0) -> int:
        """Return the time of an event after the start, computed without a float."""
        place = min((position * 1_000 + thousandths) * self._sum, self._starts[-1] - 1)
        part = bisect_right(self._starts, place) - 1
        within = self._starts[part + 1] - self._starts[part]
        share = part * within + place - self._starts[part]
        return share * self._span_ms // (within * len(self._weights))

    def speed(self, position: int) -> float:
        """Return how many times the average rate events have at a position."""
        place = min(position * 1_000 * self._sum, self._starts[-1] - 1)
        part = bisect_right(self._starts, place) - 1
        return self._weights[part] * len(self._weights) / self._sum
