"""Build states of a pipeline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

from dashboards.state import Activity, Alarm, Alert, Depth, Reading, Series, State, Tables
from dashboards.values import Absent

NOW = 1_795_400_000.0
RATES = ("received", "stored", "duplicates", "rejected", "invocations", "deleted")


def reading(value: Any = None, *, source: str = "SQS", age: float = 0.5, error: str | None = None) -> Any:
    """Build a reading that is ``age`` seconds old."""
    read_at = None if value is None else NOW - age
    return Reading(source, interval=1.0, late_after=8.0, value=value, read_at=read_at, error=error)


def depths(totals: Iterable[int], *, interval: float = 1.0, dead_letters: int = 0) -> tuple[Depth, ...]:
    """Build readings of the queue's counters. The last one is of now."""
    counts = list(totals)
    return tuple(
        Depth(NOW - interval * (len(counts) - 1 - number), total, 0, 0, float(dead_letters))
        for number, total in enumerate(counts)
    )


def series(value: float, *, since: float = 900) -> Series:
    """Build a constant rate by second."""
    seconds = range(int(NOW - since), int(NOW))
    return Series(1, seconds[0], seconds[-1], dict.fromkeys(seconds, value))


def activity(**changes: Any) -> Activity:
    """Build an activity as a log group reports it, with these changes."""
    values: dict[str, Any] = {
        "window_end": NOW,
        "window": 10,
        **dict.fromkeys(RATES, 120.0),
        "latency_p50": 130.0,
        "latency_p95": 2400.0,
        "queued_p95": 80.0,
        "duration_p50": 12.0,
        "duration_p95": 250.0,
        "concurrency": 4.0,
        "errors": 0.0,
        "silent": 0.0,
        "throttles": Absent("not logged"),
        **dict.fromkeys(("write_units", "read_units", "table_throttles", "oldest"), Absent("no metrics")),
        "sent": Absent("derived"),
        "by_type": {"order": 80.0, "payment": 40.0, "activity": 80.0},
        "series": {name: series(120.0) for name in RATES},
    }
    return Activity(**{**values, **changes})


ALERTS = (
    Alert(NOW - 2, "large order", "1,000.01 EUR", "16ef6b01a43b5d41c42b0da3731d54b7"),
    Alert(NOW - 3, "rejected", "$.amount must be at least 0, but is -5 (and 1 more)", "d04f1f91"),
    Alert(NOW - 90_000, "conflict", "$.event_id is taken", ""),
)
ALARMS = (
    Alarm("dead-letters", "OK", NOW - 3600),
    Alarm("function-errors", "ALARM", NOW - 65),
    Alarm("oldest-message", "INSUFFICIENT_DATA", None),
)


def state(**changes: Any) -> State:
    """Build the state of a busy pipeline, with these changes."""
    history = changes.pop("history", depths(range(600, 0, -10)))
    busy = State(
        now=NOW,
        name="rt-pipeline-local",
        location="http://127.0.0.1:4566 us-east-1",
        depth=reading(history[-1] if history else None),
        history=history,
        activity=reading(activity(), source="log group"),
        tables=reading(Tables(12_345.0, 60.0, 61.0), source="DynamoDB"),
        alerts=reading(ALERTS, source="DynamoDB"),
        alarms=reading(ALARMS, source="CloudWatch"),
    )
    return replace(busy, **changes)


def nothing_yet() -> State:
    """Build the state before any source has answered."""
    empty = {name: reading() for name in ("depth", "activity", "tables", "alerts", "alarms")}
    return state(history=(), **empty)


def all_failed(error: str, *, with_values: bool) -> State:
    """Build a state in which every source fails, with or without its last value."""
    before = state()
    names = ("depth", "activity", "tables", "alerts", "alarms")
    if with_values:
        old = {name: replace(getattr(before, name), error=error, read_at=NOW - 75) for name in names}
        return state(**old)
    return state(history=(), **{name: reading(error=error) for name in names})


def all_absent() -> State:
    """Build a state in which every source answers without a value."""
    absent = Absent("not available here")
    values = {
        field.name: absent
        for field in fields(Activity)
        if field.name not in ("window_end", "window", "by_type", "series")
    }
    silent = activity(**values, by_type={"order": absent, "payment": absent}, series={})
    return state(
        history=(Depth(NOW, 5, 0, 0, absent),),
        activity=reading(silent, source="CloudWatch"),
        tables=reading(Tables(absent, absent, absent)),
        alerts=reading(()),
        alarms=reading(()),
    )


def enormous() -> State:
    """Build a state with higher values and more alerts than any pipeline has."""
    many = 9_876_543_210.0
    huge = activity(
        **dict.fromkeys((*RATES, "latency_p50", "latency_p95", "duration_p50", "duration_p95"), many),
        **dict.fromkeys(("errors", "throttles", "concurrency", "write_units", "read_units", "silent"), many),
        **dict.fromkeys(("table_throttles", "sent", "oldest"), many),
        by_type=dict.fromkeys(("order", "payment", "activity"), many),
        series={name: series(many) for name in RATES},
    )
    alarms = tuple(Alarm(f"{number}-{'alarm-' * 20}", "ALARM", 0.0) for number in range(60))
    alerts = tuple(Alert(NOW, "rejected", "long reason " * 50, "id" * 200) for _ in range(60))
    history = tuple(replace(depth, dead_letters=many) for depth in depths([int(many)] * 900))
    return state(
        history=history,
        name="n" * 60,
        activity=reading(huge),
        tables=reading(Tables(many, many, many)),
        alerts=reading(alerts),
        alarms=reading(alarms),
    )
