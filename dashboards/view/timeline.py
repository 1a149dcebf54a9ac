"""The columns of a chart over time. Each is a whole step of seconds, so that the past stands still."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest

from dashboards.state import Series, State
from dashboards.view.chart import Column

# Seconds that a column may stand for: few at first, when there is little to see, more as it gets longer.
_STEPS = (1, 2, 3)
# What came in is worked out over so many seconds: the counters and the log are not read at the same moment.
_SMOOTH = 3


@dataclass(frozen=True, slots=True)
class Times:
    """When columns begin (seconds since 1970), and how many seconds each lasts."""

    step: int
    starts: tuple[int, ...]


def times(state: State, columns: int) -> Times:
    """So many columns; the last one is still running."""
    watched = state.now - state.history[0].at if state.history else 0.0
    step = next((step for step in _STEPS if watched <= step * columns), _STEPS[-1])
    last = int(state.now // step) * step
    return Times(step, tuple(last - step * back for back in reversed(range(columns))))


def depths(state: State, over: Times) -> list[Column]:
    """The most messages in the queue during each column. What was before this program is from CloudWatch."""
    older = state.activity.value.series.get("depth") if state.activity.value else None
    first = state.history[0].at if state.history else state.now
    known = _by_second(state, over.starts[0])
    columns: list[Column] = []
    for start in over.starts:
        seconds = [known[second] for second in range(start, start + over.step) if second in known]
        if seconds:
            columns.append(max(seconds))
        else:
            columns.append(older.at(start) if older is not None and start < first else None)
    return columns


def rates(series: Series | None, over: Times) -> list[Column]:
    """Mean rate of each column that is over; None where it is not known for all of the column."""
    return [None if series is None else series.mean(start, start + over.step) for start in over.starts]


def arrivals(state: State, over: Times) -> list[Column]:
    """Messages a second into the queue, for each column: measured where that is, else worked out.

    What came in is what was settled and what there was more of at the end.
    """
    series = state.activity.value.series if state.activity.value else {}
    if "sent" in series:
        return rates(series["sent"], over)
    if "settled" not in series or not over.starts:
        return [None] * len(over.starts)
    known = _by_second(state, over.starts[0] - _SMOOTH - 1)
    columns: list[Column] = []
    for start in over.starts:
        end = start + over.step
        begin = min(start, end - _SMOOTH)
        settled = series["settled"].mean(begin, end)
        before, after = known.get(begin - 1), known.get(end - 1)
        if settled is None or before is None or after is None:
            columns.append(None)
        else:
            columns.append(max(0.0, settled + (after - before) / (end - begin)))
    return columns


def _by_second(state: State, since: int) -> dict[int, float]:
    """How many messages were in the queue at each second's end, from ``since`` up to now."""
    # A reading holds until the next one, unless that is overdue.
    hold = int(2 * state.depth.every) + 2
    first = next((n for n, depth in enumerate(state.history) if depth.at >= since - hold), 0)
    known: dict[int, float] = {}
    for depth, following in zip_longest(state.history[first:], state.history[first + 1 :]):
        end = int(state.now) + 1 if following is None else int(following.at)
        total = float(depth.total)
        known[int(depth.at)] = total
        for second in range(int(depth.at) + 1, min(end, int(depth.at) + hold)):
            known[second] = total
    return known
