"""An event source mapping under a burst, second by second."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from tools.benchmarks.cost.prices import limit


@dataclass(frozen=True)
class Scaling:
    """How a mapping scales: ``start`` concurrent batches, ``per_minute`` more under a backlog, ``most``."""

    start: float
    per_minute: float
    most: float

    @classmethod
    def standard(cls, maximum_concurrency: int | None = None) -> Scaling:
        """As a mapping does by itself, up to ``maximum_concurrency`` where that is set."""
        most = min(limit("mapping_most"), maximum_concurrency or limit("mapping_most"))
        return cls(min(limit("mapping_start"), most), limit("mapping_ramp"), most)

    @classmethod
    def provisioned(cls, minimum_pollers: int) -> Scaling:
        """In provisioned mode with pollers at the ready, each for 10 concurrent batches."""
        return cls(10 * minimum_pollers, limit("provisioned_ramp"), limit("provisioned_most"))


@dataclass(frozen=True)
class Course:
    """How a burst went. Times are in seconds from its first event; ``oldest`` is the longest wait of one."""

    processed: float
    drained_after: int | None
    peak_backlog: float
    peak_concurrency: float
    peak_in_flight: float
    peak_rate: float
    oldest: int


def simulate(
    arrivals: Sequence[float],
    scaling: Scaling,
    batch: float,
    batch_seconds: float,
    *,
    ceiling: float = float("inf"),
    at_most: int = 24 * 3600,
) -> Course:
    """Let ``arrivals`` (events in each second) through a mapping.

    An invocation takes a batch in ``batch_seconds``; what is behind the function takes ``ceiling`` events a
    second. Concurrency grows while events are waiting, and is given back when none are. After the last
    arrival the clock runs until the queue is empty, ``at_most`` so many seconds in all.
    """
    waiting: deque[list[float]] = deque()  # [second of arrival, events]
    backlog = processed = 0.0
    concurrency = scaling.start
    peaks = {"backlog": 0.0, "concurrency": 0.0, "in_flight": 0.0, "rate": 0.0}
    oldest = 0
    drained: int | None = None
    for second in range(at_most):
        if second < len(arrivals) and arrivals[second]:
            waiting.append([second, arrivals[second]])
            backlog += arrivals[second]
        peaks["backlog"] = max(peaks["backlog"], backlog)
        room = min(concurrency * batch / batch_seconds, ceiling)
        done = min(backlog, room)
        busy = min(concurrency, done * batch_seconds / batch)
        peaks["concurrency"] = max(peaks["concurrency"], busy)
        peaks["in_flight"] = max(peaks["in_flight"], busy * batch)
        peaks["rate"] = max(peaks["rate"], done)
        backlog, processed = backlog - done, processed + done
        oldest = max(oldest, _take(waiting, done, second))
        if backlog <= 1e-9 and second >= len(arrivals) - 1:
            drained = second + 1
            break
        if done >= room * (1 - 1e-9):
            concurrency = min(scaling.most, concurrency + scaling.per_minute / 60)
        else:
            concurrency = max(scaling.start, busy)
    return Course(
        processed=processed,
        drained_after=drained,
        peak_backlog=peaks["backlog"],
        peak_concurrency=peaks["concurrency"],
        peak_in_flight=peaks["in_flight"],
        peak_rate=peaks["rate"],
        oldest=oldest,
    )


def _take(waiting: deque[list[float]], events: float, now: int) -> int:
    """Take the oldest events; returns how long the one that waited longest had waited."""
    waited = 0
    while waiting and events > 1e-9:
        arrived, count = waiting[0]
        waited = max(waited, now - int(arrived))
        if count <= events + 1e-9:
            waiting.popleft()
        else:
            waiting[0][1] = count - events
        events -= count
    return waited
