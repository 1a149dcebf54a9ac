"""Simulate an event source mapping under a burst of events, second by second."""

from dataclasses import dataclass
from math import inf
from typing import Self

from tools.benchmarks.cost.prices import limit


@dataclass(frozen=True)
class Scaling:
    """The concurrency of a mapping: ``start``, ``per_minute`` more under a backlog, up to ``maximum``."""

    start: float
    per_minute: float
    maximum: float

    @classmethod
    def standard(cls, maximum_concurrency: int | None = None) -> Self:
        """Return AWS's default scaling, with the mapping's ``maximum_concurrency`` if that is set."""
        maximum = min(limit("mapping_most"), maximum_concurrency or limit("mapping_most"))
        return cls(min(limit("mapping_start"), maximum), limit("mapping_ramp"), maximum)

    @classmethod
    def provisioned(cls, minimum_pollers: int) -> Self:
        """Return the scaling of provisioned mode. Each poller serves 10 concurrent batches."""
        return cls(10 * minimum_pollers, limit("provisioned_ramp"), limit("provisioned_most"))


@dataclass(frozen=True)
class BurstResult:
    """The course of a burst. Times are in seconds; ``drained_after`` counts from the first event."""

    processed: float
    drained_after: int
    longest_wait: int
    peak_concurrency: float
    peak_rate: float


def simulate_burst(
    rate: float,
    seconds: int,
    scaling: Scaling,
    batch: float,
    invocation_seconds: float,
    *,
    write_limit: float = inf,
) -> BurstResult:
    """Send ``rate`` events a second for ``seconds`` through a mapping, until the queue is empty.

    An invocation processes ``batch`` events; the table accepts ``write_limit`` events a second. Concurrency
    grows while events wait, and shrinks to what is used when none do.
    """
    events_per_slot = batch / invocation_seconds
    concurrency = scaling.start
    processed = peak_concurrency = peak_rate = 0.0
    longest_wait = second = 0
    while second < seconds or processed < rate * seconds - 1e-6:
        backlog = rate * min(second + 1, seconds) - processed
        capacity = min(concurrency * events_per_slot, write_limit)
        done = min(backlog, capacity)
        busy = done / events_per_slot
        # The queue is first in, first out: the next event is number `processed`.
        longest_wait = max(longest_wait, second - int((processed + 1e-6) / rate))
        peak_concurrency, peak_rate = max(peak_concurrency, busy), max(peak_rate, done)
        processed += done
        if backlog >= capacity:
            concurrency = min(scaling.maximum, concurrency + scaling.per_minute / 60)
        else:
            concurrency = max(scaling.start, busy)
        second += 1
    return BurstResult(processed, second, longest_wait, peak_concurrency, peak_rate)
