"""Hold what is known about a pipeline at one moment: plain data, made by `collect` and drawn by `view`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from dashboards.values import NO_METRIC, NOT_READ_YET, Absent, Value

T = TypeVar("T")

# Length of charts and of counts, in seconds.
HISTORY = 900


@dataclass(frozen=True, slots=True)
class Depth:
    """The queues' counters at a time (Unix seconds). They are approximate on AWS."""

    read_at: float
    visible: int
    in_flight: int
    delayed: int
    dead_letters: Value

    @property
    def total(self) -> int:
        """The number of messages in the events queue, in any state."""
        return self.visible + self.in_flight + self.delayed


@dataclass(frozen=True, slots=True)
class Series:
    """A value over time, in steps of ``step`` seconds. Keys are step numbers since 1970.

    The steps from ``first`` to ``last`` are known. ``default`` is the value of a known step without a key:
    zero if silence means that nothing happened.
    """

    step: int
    first: int
    last: int
    values: Mapping[int, float]
    default: float | None = 0.0

    def value_at(self, time: float) -> float | None:
        """Return the value at a time, or None if it is unknown."""
        step = int(time // self.step)
        return self.values.get(step, self.default) if self.first <= step <= self.last else None

    def mean(self, begin: int, end: int) -> float | None:
        """Return the mean from one second up to another, or None if a part of it is unknown."""
        first, last = begin // self.step, (end - 1) // self.step
        if first < self.first or last > self.last:
            return None
        total = 0.0
        for step in range(first, last + 1):
            value = self.values.get(step, self.default)
            if value is None:
                return None
            total += value
        return total / (last + 1 - first)


@dataclass(frozen=True, slots=True)
class Activity:
    """What the function processed, and the other values that come from metrics or logs.

    Rates are per second: means over the ``window`` seconds before ``window_end``. Counts cover the last
    `HISTORY`. Durations and latencies are in milliseconds, ``oldest`` is in seconds, capacity is in units per
    second. ``sent`` and ``deleted`` are the messages that entered and left the queue. ``silent`` counts
    invocations that logged neither a batch nor a failure.
    """

    window_end: float
    window: int
    received: Value = NOT_READ_YET
    stored: Value = NOT_READ_YET
    duplicates: Value = NOT_READ_YET
    rejected: Value = NOT_READ_YET
    latency_p50: Value = NOT_READ_YET
    latency_p95: Value = NOT_READ_YET
    queued_p95: Value = NOT_READ_YET
    by_type: Mapping[str, Value] = field(default_factory=dict)
    invocations: Value = NOT_READ_YET
    errors: Value = NOT_READ_YET
    silent: Value = NO_METRIC
    throttles: Value = NOT_READ_YET
    duration_p50: Value = NOT_READ_YET
    duration_p95: Value = NOT_READ_YET
    concurrency: Value = NOT_READ_YET
    write_units: Value = NOT_READ_YET
    read_units: Value = NOT_READ_YET
    table_throttles: Value = NOT_READ_YET
    sent: Value = NOT_READ_YET
    deleted: Value = NOT_READ_YET
    oldest: Value = NOT_READ_YET
    series: Mapping[str, Series] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tables:
    """The number of items in each table."""

    events: Value
    rejected: Value
    duplicates: Value


@dataclass(frozen=True, slots=True)
class Alert:
    """A large order or a rejection: its time (Unix seconds), its kind, a detail, and its ids."""

    time: float
    kind: str
    detail: str
    event_id: str
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm: its name without the pipeline's prefix, CloudWatch's state, and since when (Unix seconds)."""

    name: str
    state: str
    since: float | None


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """The last value of a source, when it was read, and the source's error now.

    ``interval`` is how often the source is read now. A value older than ``late_after`` is late. Both are in
    seconds.
    """

    source: str
    interval: float
    late_after: float
    value: T | None = None
    read_at: float | None = None
    error: str | None = None

    def age(self, now: float) -> float:
        """Return the seconds since the value was read; infinity if there is none."""
        return float("inf") if self.read_at is None else max(0.0, now - self.read_at)

    def is_late(self, now: float) -> bool:
        """Return whether the value is older than it should be, for example because the endpoint is slow."""
        return self.age(now) > self.late_after

    def warning(self, now: float) -> str | None:
        """Return the source's error, or that it is slow, or None if all is well."""
        if self.error is None and self.value is not None and self.is_late(now):
            return f"{self.source} is slow"
        return self.error


@dataclass(frozen=True, slots=True)
class State:
    """Everything that one frame shows. ``history`` holds the queue's counters of the last `HISTORY`."""

    now: float
    name: str
    location: str
    depth: Reading[Depth]
    history: tuple[Depth, ...]
    activity: Reading[Activity]
    tables: Reading[Tables]
    alerts: Reading[tuple[Alert, ...]]
    alarms: Reading[tuple[Alarm, ...]]

    @property
    def readings(self) -> tuple[Reading[Any], ...]:
        """The reading of each source, in the order of the panels."""
        return (self.depth, self.activity, self.tables, self.alerts, self.alarms)

    def value(self, reading: str, name: str) -> Value:
        """Return a value of a reading, or the reason why it is absent."""
        source: Reading[Any] = getattr(self, reading)
        if source.value is None:
            return Absent(source.error) if source.error else NOT_READ_YET
        value: Value = getattr(source.value, name)
        return value

    def activity_value(self, name: str) -> Value:
        """Return a value of `Activity`, or the reason why it is absent."""
        return self.value("activity", name)

    def activity_series(self, name: str) -> Series | None:
        """Return a series of `Activity`, or None if there is none."""
        return self.activity.value.series.get(name) if self.activity.value else None
