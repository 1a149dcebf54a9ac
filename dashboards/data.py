"""A frame as data: the same figures as on the screen, with their units in their names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dashboards.flow import flow
from dashboards.state import HISTORY, Reading, State
from dashboards.values import WAITING, Absent, Value


def as_data(state: State) -> dict[str, Any]:
    """Everything that a frame shows, ready for JSON.

    A figure that cannot be had is null, and ``absent`` says why. ``age_seconds`` is how old a panel's figures
    are, ``problem`` what is wrong with its source now.
    """
    panels = {
        "queue": _panel(state, state.depth, _queue(state)),
        "throughput": _panel(state, state.activity, _throughput(state)),
        "lambda": _panel(state, state.activity, _function(state)),
        "dynamodb": _panel(state, state.tables, _tables(state)),
        "alerts": _panel(state, state.alerts, {}) | {"newest": _alerts(state)},
        "alarms": _panel(state, state.alarms, {}) | {"alarms": _alarms(state)},
    }
    return {"name": state.name, "where": state.where, "at": _iso(state.now), "panels": panels}


def _panel(state: State, reading: Reading[Any], figures: Mapping[str, Value]) -> dict[str, Any]:
    return {
        "source": reading.source,
        "age_seconds": None if reading.at is None else round(reading.age(state.now), 3),
        "problem": reading.trouble(state.now) or (None if reading.at else "no answer yet"),
        "figures": {
            name: None if isinstance(figure, Absent) else _number(figure) for name, figure in figures.items()
        },
        "absent": {name: figure.reason for name, figure in figures.items() if isinstance(figure, Absent)},
    }


def _queue(state: State) -> dict[str, Value]:
    depth, moving = state.depth.value, flow(state)
    oldest = "oldest_seconds_at_most" if moving.bounded else "oldest_seconds"
    return {
        "visible": float(depth.visible) if depth else WAITING,
        "in_flight": float(depth.in_flight) if depth else WAITING,
        "delayed": float(depth.delayed) if depth else WAITING,
        "dead_letters": depth.dead if depth else WAITING,
        oldest: moving.oldest,
        "in_per_second": moving.sent,
        "out_per_second": moving.settled,
        "drained_in_seconds": moving.drained_in,
    }


def _throughput(state: State) -> dict[str, Value]:
    rates = ("received", "stored", "duplicates", "rejected")
    return {f"{name}_per_second": state.figure(name) for name in rates} | {
        "latency_p50_ms": state.figure("latency_p50"),
        "latency_p95_ms": state.figure("latency_p95"),
    }


def _function(state: State) -> dict[str, Value]:
    return {
        "invocations_per_second": state.figure("invocations"),
        f"errors_in_{HISTORY}_seconds": state.figure("errors"),
        f"silent_in_{HISTORY}_seconds": state.figure("silent"),
        f"throttles_in_{HISTORY}_seconds": state.figure("throttles"),
        "duration_p50_ms": state.figure("duration_p50"),
        "duration_p95_ms": state.figure("duration_p95"),
        "concurrency": state.figure("concurrency"),
    }


def _tables(state: State) -> dict[str, Value]:
    held = state.tables.value
    by_type = state.activity.value.by_type if state.activity.value else {}
    return {
        "events": held.events if held else WAITING,
        "rejected": held.rejected if held else WAITING,
        "duplicates": held.duplicates if held else WAITING,
        **{f"stored_{name}_in_{HISTORY}_seconds": figure for name, figure in by_type.items()},
        "write_units_per_second": state.figure("write_units"),
        "read_units_per_second": state.figure("read_units"),
        f"throttles_in_{HISTORY}_seconds": state.figure("table_throttles"),
    }


def _alerts(state: State) -> list[dict[str, str]]:
    return [
        {"at": _iso(alert.at), "kind": alert.kind, "what": alert.what, "event_id": alert.event_id}
        for alert in state.alerts.value or ()
    ]


def _alarms(state: State) -> list[dict[str, str | None]]:
    return [
        {
            "name": alarm.name,
            "state": alarm.state,
            "since": None if alarm.since is None else _iso(alarm.since),
        }
        for alarm in state.alarms.value or ()
    ]


def _number(figure: float) -> float | int:
    return int(figure) if figure == int(figure) else round(figure, 3)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
