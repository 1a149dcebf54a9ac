"""States of a pipeline as tests need them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

from dashboards.state import Activity, Alarm, Alert, Depth, Reading, Series, State, Tables
from dashboards.values import Absent

NOW = 1_795_400_000.0
RATES = ("received", "stored", "duplicates", "rejected", "invocations", "settled")


def reading(value: Any = None, *, source: str = "SQS", age: float = 0.5, problem: str | None = None) -> Any:
    """What a source said so many seconds before now."""
    at = None if value is None else NOW - age
    return Reading(source, every=1.0, late_after=8.0, value=value, at=at, problem=problem)


def depths(totals: Iterable[int], *, every: float = 1.0, dead: int = 0) -> tuple[Depth, ...]:
    """Readings of the queue's counters, the last one now."""
    listed = list(totals)
    return tuple(
        Depth(NOW - every * (len(listed) - 1 - number), total, 0, 0, float(dead))
        for number, total in enumerate(listed)
    )


def series(value: float, *, since: float = 900) -> Series:
    """A rate that has not changed."""
    seconds = range(int(NOW - since), int(NOW))
    return Series(1, seconds[0], seconds[-1], dict.fromkeys(seconds, value))


def activity(**changes: Any) -> Activity:
    """What the function did, as a log group tells."""
    told: dict[str, Any] = {
        "ended": NOW,
        "mean_of": 10,
        **dict.fromkeys(RATES, 120.0),
        "latency_p50": 130.0,
        "latency_p95": 2400.0,
        "duration_p50": 12.0,
        "duration_p95": 250.0,
        "concurrency": 4.0,
        "errors": 0.0,
        "silent": 0.0,
        "throttles": Absent("not logged"),
        **dict.fromkeys(("write_units", "read_units", "table_throttles", "oldest"), Absent("no metrics")),
        "sent": Absent("worked out"),
        "by_type": {"order": 80.0, "payment": 40.0, "activity": 80.0},
        "series": {name: series(120.0) for name in RATES},
    }
    return Activity(**{**told, **changes})


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
    """A pipeline at work."""
    history = changes.pop("history", depths(range(600, 0, -10)))
    known = State(
        now=NOW,
        name="rt-pipeline-local",
        where="http://127.0.0.1:4566 us-east-1",
        depth=reading(history[-1] if history else None),
        history=history,
        activity=reading(activity(), source="log group"),
        tables=reading(Tables(12_345.0, 60.0, 61.0), source="DynamoDB"),
        alerts=reading(ALERTS, source="DynamoDB"),
        alarms=reading(ALARMS, source="CloudWatch"),
    )
    return replace(known, **changes)


def nothing_yet() -> State:
    """The first moment, before any source has answered."""
    empty = {name: reading() for name in ("depth", "activity", "tables", "alerts", "alarms")}
    return state(history=(), **empty)


def all_failed(problem: str, *, with_values: bool) -> State:
    """Every source in trouble, with or without what it said before."""
    known = state()
    names = ("depth", "activity", "tables", "alerts", "alarms")
    if with_values:
        old = {name: replace(getattr(known, name), problem=problem, at=NOW - 75) for name in names}
        return state(**old)
    return state(history=(), **{name: reading(problem=problem) for name in names})


def all_absent() -> State:
    """Every source answers, and none has a figure."""
    none = Absent("cannot be had here")
    figures = {
        field.name: none
        for field in fields(Activity)
        if field.name not in ("ended", "mean_of", "by_type", "series")
    }
    told = activity(**figures, by_type={"order": none, "payment": none}, series={})
    return state(
        history=(Depth(NOW, 5, 0, 0, none),),
        activity=reading(told, source="CloudWatch"),
        tables=reading(Tables(none, none, none)),
        alerts=reading(()),
        alarms=reading(()),
    )


def enormous() -> State:
    """More of everything than there will be."""
    many = 9_876_543_210.0
    told = activity(
        **dict.fromkeys((*RATES, "latency_p50", "latency_p95", "duration_p50", "duration_p95"), many),
        **dict.fromkeys(("errors", "throttles", "concurrency", "write_units", "read_units", "silent"), many),
        **dict.fromkeys(("table_throttles", "sent", "oldest"), many),
        by_type=dict.fromkeys(("order", "payment", "activity"), many),
        series={name: series(many) for name in RATES},
    )
    alarms = tuple(Alarm(f"{number}-{'alarm-' * 20}", "ALARM", 0.0) for number in range(60))
    alerts = tuple(Alert(NOW, "rejected", "long reason " * 50, "id" * 200) for _ in range(60))
    history = tuple(replace(depth, dead=many) for depth in depths([int(many)] * 900))
    return state(
        history=history,
        name="n" * 60,
        activity=reading(told),
        tables=reading(Tables(many, many, many)),
        alerts=reading(alerts),
        alarms=reading(alarms),
    )
