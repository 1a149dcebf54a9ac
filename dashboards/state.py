"""What is known about a pipeline at one moment: plain data, made by `collect` and drawn by `view`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from dashboards.values import NO_METRIC, WAITING, Absent, Value

T = TypeVar("T")

# How far back charts and counts go, in seconds.
HISTORY = 900


@dataclass(frozen=True, slots=True)
class Depth:
    """The queues' counters at a time (seconds since 1970). Approximate on AWS."""

    at: float
    visible: int
    in_flight: int
    delayed: int
    dead: Value

    @property
    def total(self) -> int:
        """Messages in the events queue, whatever their state."""
        return self.visible + self.in_flight + self.delayed


@dataclass(frozen=True, slots=True)
class Series:
    """A figure over time, in steps of ``step`` seconds; keys are the number of the step since 1970.

    ``first`` and ``last`` are the steps that are known. ``gap`` is the value of a step between them that has
    none: zero where silence means that nothing happened.
    """

    step: int
    first: int
    last: int
    values: Mapping[int, float]
    gap: float | None = 0.0

    def at(self, moment: float) -> float | None:
        """The value at a time, or None where it is not known."""
        step = int(moment // self.step)
        return self.values.get(step, self.gap) if self.first <= step <= self.last else None

    def mean(self, begin: int, end: int) -> float | None:
        """The mean from one second up to another, or None where any of it is not known."""
        first, last = begin // self.step, (end - 1) // self.step
        if first < self.first or last > self.last:
            return None
        total = 0.0
        for step in range(first, last + 1):
            value = self.values.get(step, self.gap)
            if value is None:
                return None
            total += value
        return total / (last + 1 - first)


@dataclass(frozen=True, slots=True)
class Activity:
    """What the function did, and what of it only metrics can tell.

    Rates are per second and means over the ``mean_of`` seconds before ``ended``; counts are those of the last
    `HISTORY`. Durations and latencies are in milliseconds, ``oldest`` is in seconds, capacity is in units per
    second. ``sent`` and ``settled`` are what came into the queue and what left it for good. ``silent`` counts
    invocations that neither told of their batch nor failed, as far as the log says.
    """

    ended: float
    mean_of: int
    received: Value = WAITING
    stored: Value = WAITING
    duplicates: Value = WAITING
    rejected: Value = WAITING
    latency_p50: Value = WAITING
    latency_p95: Value = WAITING
    by_type: Mapping[str, Value] = field(default_factory=dict)
    invocations: Value = WAITING
    errors: Value = WAITING
    silent: Value = NO_METRIC
    throttles: Value = WAITING
    duration_p50: Value = WAITING
    duration_p95: Value = WAITING
    concurrency: Value = WAITING
    write_units: Value = WAITING
    read_units: Value = WAITING
    table_throttles: Value = WAITING
    sent: Value = WAITING
    settled: Value = WAITING
    oldest: Value = WAITING
    series: Mapping[str, Series] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tables:
    """How many items each table holds."""

    events: Value
    rejected: Value
    duplicates: Value


@dataclass(frozen=True, slots=True)
class Alert:
    """A large order or a rejection: when it came (seconds since 1970), what it is, and of which event."""

    at: float
    kind: str
    what: str
    event_id: str


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm without the pipeline's name in front, its state (CloudWatch's word), and since when."""

    name: str
    state: str
    since: float | None


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """What a source said last, when, and what is wrong with it now.

    ``every`` is how often it is asked now, ``late_after`` how old its word may be without a remark; both in
    seconds.
    """

    source: str
    every: float
    late_after: float
    value: T | None = None
    at: float | None = None
    problem: str | None = None

    def age(self, now: float) -> float:
        """Seconds since the value was read; infinite where there is none."""
        return float("inf") if self.at is None else max(0.0, now - self.at)

    def is_late(self, now: float) -> bool:
        """Whether the value is older than it should be, as behind a slow endpoint."""
        return self.age(now) > self.late_after

    def trouble(self, now: float) -> str | None:
        """What a person should know about this source, or None: its problem, or that it is slow."""
        if self.problem is None and self.value is not None and self.is_late(now):
            return f"{self.source} is slow"
        return self.problem


@dataclass(frozen=True, slots=True)
class State:
    """Everything that one frame shows. ``history`` holds the queue's counters of the last `HISTORY`."""

    now: float
    name: str
    where: str
    depth: Reading[Depth]
    history: tuple[Depth, ...]
    activity: Reading[Activity]
    tables: Reading[Tables]
    alerts: Reading[tuple[Alert, ...]]
    alarms: Reading[tuple[Alarm, ...]]

    @property
    def readings(self) -> tuple[Reading[Any], ...]:
        """Every source, in the order of the panels."""
        return (self.depth, self.activity, self.tables, self.alerts, self.alarms)

    def figure(self, name: str) -> Value:
        """A figure of `Activity`, or why there is none."""
        if self.activity.value is None:
            return Absent(self.activity.problem) if self.activity.problem else WAITING
        found: Value = getattr(self.activity.value, name)
        return found
