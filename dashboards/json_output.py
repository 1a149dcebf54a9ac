"""Convert a frame to JSON data: the values on the screen, with their units in their names."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dashboards.queue_flow import queue_flow
from dashboards.state import HISTORY, Reading, State
from dashboards.values import Absent, Value


def to_json_data(state: State) -> dict[str, Any]:
    """Return everything that a frame shows, ready for JSON.

    An absent value is null, and ``absent`` gives the reason. ``age_seconds`` is the age of a panel's values,
    ``problem`` the error of its source now.
    """
    panels = {
        "queue": _panel(state, state.depth, _queue_values(state)),
        "throughput": _panel(state, state.activity, _throughput_values(state)),
        "lambda": _panel(state, state.activity, _function_values(state)),
        "dynamodb": _panel(state, state.tables, _table_values(state)),
        "alerts": _panel(state, state.alerts, {}) | {"newest": _alerts(state)},
        "alarms": _panel(state, state.alarms, {}) | {"alarms": _alarms(state)},
    }
    return {"name": state.name, "where": state.location, "at": _iso_time(state.now), "panels": panels}


def _panel(state: State, reading: Reading[Any], values: Mapping[str, Value]) -> dict[str, Any]:
    return {
        "source": reading.source,
        "age_seconds": None if reading.read_at is None else round(reading.age(state.now), 3),
        "problem": reading.warning(state.now) or (None if reading.read_at else "no answer yet"),
        "figures": {
            name: None if isinstance(value, Absent) else _round_number(value)
            for name, value in values.items()
        },
        "absent": {name: value.reason for name, value in values.items() if isinstance(value, Absent)},
    }


def _queue_values(state: State) -> dict[str, Value]:
    flow = queue_flow(state)
    oldest = "oldest_seconds_at_most" if flow.oldest_is_upper_bound else "oldest_seconds"
    return {
        **{name: state.value("depth", name) for name in ("visible", "in_flight", "delayed", "dead_letters")},
        oldest: flow.oldest,
        "in_per_second": flow.sent,
        "out_per_second": flow.deleted,
        "drained_in_seconds": flow.drain_eta,
    }


def _throughput_values(state: State) -> dict[str, Value]:
    rates = ("received", "stored", "duplicates", "rejected")
    return {f"{name}_per_second": state.activity_value(name) for name in rates} | {
        "latency_p50_ms": state.activity_value("latency_p50"),
        "latency_p95_ms": state.activity_value("latency_p95"),
        "queue_latency_p95_ms": state.activity_value("queued_p95"),
    }


def _function_values(state: State) -> dict[str, Value]:
    counts = ("errors", "silent", "throttles")
    return {
        "invocations_per_second": state.activity_value("invocations"),
        **{f"{name}_in_{HISTORY}_seconds": state.activity_value(name) for name in counts},
        "duration_p50_ms": state.activity_value("duration_p50"),
        "duration_p95_ms": state.activity_value("duration_p95"),
        "concurrency": state.activity_value("concurrency"),
    }


def _table_values(state: State) -> dict[str, Value]:
    by_type = state.activity.value.by_type if state.activity.value else {}
    return {
        **{name: state.value("tables", name) for name in ("events", "rejected", "duplicates")},
        **{f"stored_{name}_in_{HISTORY}_seconds": value for name, value in by_type.items()},
        "write_units_per_second": state.activity_value("write_units"),
        "read_units_per_second": state.activity_value("read_units"),
        f"throttles_in_{HISTORY}_seconds": state.activity_value("table_throttles"),
    }


def _alerts(state: State) -> list[dict[str, str]]:
    return [
        {
            "at": _iso_time(alert.time),
            "kind": alert.kind,
            "what": alert.detail,
            "event_id": alert.event_id,
            **({"message_id": alert.message_id} if alert.message_id else {}),
        }
        for alert in state.alerts.value or ()
    ]


def _alarms(state: State) -> list[dict[str, str | None]]:
    return [
        {
            "name": alarm.name,
            "state": alarm.state,
            "since": None if alarm.since is None else _iso_time(alarm.since),
        }
        for alarm in state.alarms.value or ()
    ]


def _round_number(value: float) -> float | int:
    return int(value) if value == int(value) else round(value, 3)


def _iso_time(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
