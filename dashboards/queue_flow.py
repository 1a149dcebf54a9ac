"""Derive how the queue moves from its counters over time and from what the function processed."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.state import Depth, State
from dashboards.values import NOT_READ_YET, Absent, Value

# The rate into the queue covers as many seconds as the log group's rate out of it.
_RATE_SECONDS = 10
_DRAIN_SECONDS = 5
# A queue that changes by less than this, in messages per second, counts as steady.
_STEADY_RATE = 0.5

QUEUE_GROWS = Absent("the queue grows")
QUEUE_IS_STEADY = Absent("the queue is steady")
_NEEDS_TWO_READINGS = Absent("needs two readings")


@dataclass(frozen=True, slots=True)
class QueueFlow:
    """Messages per second into and out of the queue, seconds until it is empty, age of the oldest message.

    ``oldest_is_upper_bound`` means that the exact age is unknown.
    """

    sent: Value
    deleted: Value
    drain_eta: Value
    oldest: Value
    oldest_is_upper_bound: bool


def queue_flow(state: State) -> QueueFlow:
    """Return the flow through the queue now."""
    deleted = state.activity_value("deleted")
    if state.activity.value is not None and state.activity.is_late(state.now):
        deleted = Absent(f"{state.activity.source} is late")
    sent = state.activity_value("sent")
    if isinstance(sent, Absent):
        sent = _derive_sent(state.history, deleted, sent)
    oldest = state.activity_value("oldest")
    is_upper_bound = isinstance(oldest, Absent)
    if is_upper_bound:
        oldest = oldest_upper_bound(state.history)
    return QueueFlow(sent, deleted, drain_eta(state.history), oldest, is_upper_bound)


def growth_rate(history: Sequence[Depth], seconds: float) -> float | None:
    """Return the queue's growth over the last seconds, in messages per second, or None if it is unknown."""
    if not history:
        return None
    last = history[-1]
    first = next((depth for depth in history if depth.read_at >= last.read_at - seconds), last)
    elapsed = last.read_at - first.read_at
    return (last.total - first.total) / elapsed if elapsed >= 0.5 else None


def drain_eta(history: Sequence[Depth]) -> Value:
    """Return the seconds until the queue is empty at the rate of the last 5 s."""
    growth = growth_rate(history, _DRAIN_SECONDS)
    if not history:
        return NOT_READ_YET
    if history[-1].total == 0:
        return 0.0
    if growth is None:
        return _NEEDS_TWO_READINGS
    if growth >= -_STEADY_RATE:
        return QUEUE_GROWS if growth > _STEADY_RATE else QUEUE_IS_STEADY
    return history[-1].total / -growth


def oldest_upper_bound(history: Sequence[Depth]) -> Value:
    """Return the seconds since the queue was last empty: no message in it can be older.

    This is only correct if the counters are exact, as they are on emulators.
    """
    if not history:
        return NOT_READ_YET
    empty = next((depth for depth in reversed(history) if depth.total == 0), None)
    if empty is None:
        return Absent("never seen empty")
    return history[-1].read_at - empty.read_at


def _derive_sent(history: Sequence[Depth], deleted: Value, otherwise: Absent) -> Value:
    """Return the rate into the queue: the rate out of it plus its growth."""
    growth = growth_rate(history, _RATE_SECONDS)
    if isinstance(deleted, Absent):
        return deleted
    if growth is None:
        return _NEEDS_TWO_READINGS if history else otherwise
    return max(0.0, deleted + growth)
