"""How the queue moves, from its counters over time and from what the function did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.state import Depth, State
from dashboards.values import Absent, Value

# Long enough to smooth the batches out, short enough to follow; the first is also the mean of what went out.
_RATE_SECONDS = 10
_DRAIN_SECONDS = 5
# Growing or shrinking by less than this, in messages a second, is neither.
_STEADY = 0.5


@dataclass(frozen=True, slots=True)
class Flow:
    """Messages a second into and out of the queue, seconds until it is empty, seconds the oldest waits.

    ``bounded`` says that ``oldest`` is an upper bound.
    """

    sent: Value
    settled: Value
    drained_in: Value
    oldest: Value
    bounded: bool


def flow(state: State) -> Flow:
    """The flow through the queue at this moment."""
    settled = state.figure("settled")
    if state.activity.value is not None and state.activity.is_late(state.now):
        settled = Absent(f"{state.activity.source} is late")
    sent = state.figure("sent")
    if isinstance(sent, Absent):
        sent = _sent(state.history, settled, sent)
    oldest = state.figure("oldest")
    bounded = isinstance(oldest, Absent)
    if bounded:
        oldest = oldest_bound(state.history)
    return Flow(sent, settled, drained_in(state.history), oldest, bounded)


def trend(history: Sequence[Depth], seconds: float) -> float | None:
    """By how many messages a second the queue grew over the last seconds; None where too little is known."""
    if not history:
        return None
    last = history[-1]
    first = next((depth for depth in history if depth.at >= last.at - seconds), last)
    elapsed = last.at - first.at
    return (last.total - first.total) / elapsed if elapsed >= 0.5 else None


def drained_in(history: Sequence[Depth]) -> Value:
    """Seconds until the queue is empty, if it goes on as in the last 5 s."""
    growth = trend(history, _DRAIN_SECONDS)
    if not history:
        return Absent("not known yet")
    if history[-1].total == 0:
        return 0.0
    if growth is None:
        return Absent("needs two readings")
    if growth >= -_STEADY:
        return Absent("the queue grows" if growth > _STEADY else "the queue stands still")
    return history[-1].total / -growth


def oldest_bound(history: Sequence[Depth]) -> Value:
    """At most how many seconds the oldest message has waited: what is in the queue came after it was empty.

    This holds where the counters are exact, which they are on emulators.
    """
    if not history:
        return Absent("not known yet")
    empty = next((depth for depth in reversed(history) if depth.total == 0), None)
    if empty is None:
        return Absent("never seen empty")
    return history[-1].at - empty.at


def _sent(history: Sequence[Depth], settled: Value, otherwise: Absent) -> Value:
    """What came in is what went out and what there is more of now."""
    growth = trend(history, _RATE_SECONDS)
    if isinstance(settled, Absent):
        return settled
    if growth is None:
        return Absent("needs two readings") if history else otherwise
    return max(0.0, settled + growth)
