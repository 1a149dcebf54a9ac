"""Compute the columns of charts over time. Each covers whole seconds, so that past columns do not move."""

from dataclasses import dataclass
from itertools import zip_longest

from dashboards.state import Series, State
from dashboards.view.chart import Column

# Seconds that a column may cover: more as the history gets longer.
_STEPS = (1, 2, 3)
# The rate into the queue is a mean over this many seconds, because counters and log are read at other times.
_SMOOTHING = 3


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """The starts of columns (Unix seconds) and the seconds that each covers."""

    step: int
    starts: tuple[int, ...]


def make_axis(state: State, columns: int) -> TimeAxis:
    """Return an axis of this many columns. The last one is incomplete."""
    history_length = state.now - state.history[0].read_at if state.history else 0.0
    step = next((step for step in _STEPS if history_length <= step * columns), _STEPS[-1])
    last = int(state.now // step) * step
    return TimeAxis(step, tuple(last - step * back for back in reversed(range(columns))))


def depth_columns(state: State, axis: TimeAxis) -> list[Column]:
    """Return the most messages in the queue during each column. CloudWatch has those before the start."""
    older = state.activity_series("depth")
    first = state.history[0].read_at if state.history else state.now
    totals = _totals_by_second(state, axis.starts[0])
    columns: list[Column] = []
    for start in axis.starts:
        seconds = [totals[second] for second in range(start, start + axis.step) if second in totals]
        if seconds:
            columns.append(max(seconds))
        else:
            columns.append(older.value_at(start) if older is not None and start < first else None)
    return columns


def rate_columns(series: Series | None, axis: TimeAxis) -> list[Column]:
    """Return the mean rate of each column, or None if a part of the column is unknown."""
    return [None if series is None else series.mean(start, start + axis.step) for start in axis.starts]


def arrival_columns(state: State, axis: TimeAxis) -> list[Column]:
    """Return the messages per second into the queue for each column.

    They are measured on AWS. Elsewhere they are the messages deleted plus the growth of the queue.
    """
    sent, deleted_series = state.activity_series("sent"), state.activity_series("deleted")
    if sent is not None:
        return rate_columns(sent, axis)
    if deleted_series is None or not axis.starts:
        return [None] * len(axis.starts)
    totals = _totals_by_second(state, axis.starts[0] - _SMOOTHING - 1)
    columns: list[Column] = []
    for start in axis.starts:
        end = start + axis.step
        begin = min(start, end - _SMOOTHING)
        deleted = deleted_series.mean(begin, end)
        before, after = totals.get(begin - 1), totals.get(end - 1)
        if deleted is None or before is None or after is None:
            columns.append(None)
        else:
            columns.append(max(0.0, deleted + (after - before) / (end - begin)))
    return columns


def _totals_by_second(state: State, since: int) -> dict[int, float]:
    """Return the messages in the queue at each second's end, from ``since`` until now."""
    # A reading is valid until the next one, but not for longer than this.
    max_age = int(2 * state.depth.interval) + 2
    first = next((n for n, depth in enumerate(state.history) if depth.read_at >= since - max_age), 0)
    totals: dict[int, float] = {}
    for depth, following in zip_longest(state.history[first:], state.history[first + 1 :]):
        second = int(depth.read_at)
        end = int(state.now) + 1 if following is None else int(following.read_at)
        # At least its own second, even if the next reading is in the same one.
        seconds = range(second, max(second + 1, min(end, second + max_age)))
        totals.update(dict.fromkeys(seconds, float(depth.total)))
    return totals
