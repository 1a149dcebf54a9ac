"""What the function did and the queue and tables measured, from CloudWatch: for AWS.

One GetMetricData call asks for all of it. CloudWatch bills each metric asked for (USD 0.01 for a thousand,
CloudWatch pricing, 2026), so that it is asked twice a minute and no more.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import contract
from common.telemetry import NAMESPACE
from dashboards.collect.runner import Seen
from dashboards.state import HISTORY, Activity, Series
from dashboards.target import Target
from dashboards.values import Absent, Value

EVERY = 30.0
_MINUTE = 60
# A minute's figures may come minutes late; older ones are no longer shown as what is going on.
_FRESH = 300
_SILENT = Absent("silent for 5 min")
_TYPES = tuple(contract.SCHEMA["properties"]["event_type"]["enum"])
_INDEXES = {"by_customer": "events", "by_type": "events", "large_orders": "events", "newest": "rejected"}


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric to ask for. ``key`` is what it is called here."""

    key: str
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    stat: str = "Sum"

    def query(self, number: int) -> dict[str, Any]:
        """The query of GetMetricData for it, by the minute."""
        dimensions = [{"Name": name, "Value": value} for name, value in self.dimensions]
        metric = {"Namespace": self.namespace, "MetricName": self.name, "Dimensions": dimensions}
        return {
            "Id": f"m{number}",
            "MetricStat": {"Metric": metric, "Period": _MINUTE, "Stat": self.stat},
        }


def metrics_of(target: Target) -> list[Metric]:
    """Every metric that is asked for."""
    queue = (("QueueName", target.queue_url.rstrip("/").rsplit("/", 1)[-1]),)
    function = (("FunctionName", target.function_name),)
    found = [
        Metric("sent", "AWS/SQS", "NumberOfMessagesSent", queue),
        Metric("settled", "AWS/SQS", "NumberOfMessagesDeleted", queue),
        Metric("oldest", "AWS/SQS", "ApproximateAgeOfOldestMessage", queue, "Maximum"),
        Metric("visible", "AWS/SQS", "ApproximateNumberOfMessagesVisible", queue, "Maximum"),
        Metric("in_flight", "AWS/SQS", "ApproximateNumberOfMessagesNotVisible", queue, "Maximum"),
        Metric("invocations", "AWS/Lambda", "Invocations", function),
        Metric("errors", "AWS/Lambda", "Errors", function),
        Metric("throttles", "AWS/Lambda", "Throttles", function),
        Metric("duration_p50", "AWS/Lambda", "Duration", function, "p50"),
        Metric("duration_p95", "AWS/Lambda", "Duration", function, "p95"),
        Metric("concurrency", "AWS/Lambda", "ConcurrentExecutions", function, "Maximum"),
        Metric("latency_p50", NAMESPACE, "IngestLatency", function, "p50"),
        Metric("latency_p95", NAMESPACE, "IngestLatency", function, "p95"),
    ]
    for name in ("Received", "Stored", "Duplicates", "Rejected"):
        found.append(Metric(name.lower(), NAMESPACE, name, function))
    for name in _TYPES:
        found.append(Metric(f"type_{name}", NAMESPACE, f"Stored{name.capitalize()}", function))
    return found + list(_capacity(target))


def _capacity(target: Target) -> Iterator[Metric]:
    tables = {
        "events": target.events_table,
        "rejected": target.rejected_table,
        "duplicates": target.duplicates_table,
    }
    places: list[tuple[tuple[str, str], ...]] = [(("TableName", name),) for name in tables.values()]
    # An index's capacity is measured apart from its table's.
    for index, table in _INDEXES.items():
        places.append((("GlobalSecondaryIndexName", index), ("TableName", tables[table])))
    for place in places:
        yield Metric("write_units", "AWS/DynamoDB", "ConsumedWriteCapacityUnits", place)
        yield Metric("read_units", "AWS/DynamoDB", "ConsumedReadCapacityUnits", place)
        yield Metric("table_throttles", "AWS/DynamoDB", "WriteThrottleEvents", place)
        yield Metric("table_throttles", "AWS/DynamoDB", "ReadThrottleEvents", place)


class Metrics:
    """Asks CloudWatch with one GetMetricData call."""

    reading = "activity"
    source = "CloudWatch"
    thing = "a metric"

    def __init__(self, target: Target, every: float = EVERY) -> None:
        self.every = every
        self._cloudwatch = target.clients["cloudwatch"]
        self._metrics = metrics_of(target)

    def collect(self) -> Seen:
        """Ask for the last `HISTORY` by the minute."""
        now = time.time()
        minutes = self._ask(now)
        return Seen(activity(minutes, now))

    def _ask(self, now: float) -> dict[str, list[dict[int, float]]]:
        """For each key, the values of its metrics by the minute (seconds since 1970)."""
        found: dict[str, list[dict[int, float]]] = {}
        by_id: dict[str, dict[int, float]] = {}
        for number, metric in enumerate(self._metrics):
            found.setdefault(metric.key, []).append(by_id.setdefault(f"m{number}", {}))
        pages = self._cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=[metric.query(number) for number, metric in enumerate(self._metrics)],
            StartTime=datetime.fromtimestamp((now - HISTORY) // _MINUTE * _MINUTE, UTC),
            EndTime=datetime.fromtimestamp(math.ceil(now / _MINUTE) * _MINUTE, UTC),
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                for moment, value in zip(result["Timestamps"], result["Values"], strict=True):
                    by_id[result["Id"]][int(moment.timestamp())] = float(value)
        return found


def activity(minutes: dict[str, list[dict[int, float]]], now: float) -> Activity:
    """Sum CloudWatch's answer up. Each figure is that of the newest whole minute that CloudWatch has."""
    summed = {key: _sum(values) for key, values in minutes.items()}

    def newest(key: str, scale: float = 1.0) -> Value:
        known = [at for at in summed.get(key, {}) if now - _FRESH <= at <= now - _MINUTE]
        return summed[key][max(known)] / scale if known else _SILENT

    def total(key: str) -> Value:
        values = summed.get(key, {})
        return sum(values.values()) if values else Absent("silent for 15 min")

    last = max((at for values in summed.values() for at in values if at <= now - _MINUTE), default=now)
    depth = _sum([summed.get("visible", {}), summed.get("in_flight", {})])
    return Activity(
        ended=last + _MINUTE,
        mean_of=_MINUTE,
        received=newest("received", _MINUTE),
        stored=newest("stored", _MINUTE),
        duplicates=newest("duplicates", _MINUTE),
        rejected=newest("rejected", _MINUTE),
        latency_p50=newest("latency_p50"),
        latency_p95=newest("latency_p95"),
        by_type={name: total(f"type_{name}") for name in _TYPES},
        invocations=newest("invocations", _MINUTE),
        errors=total("errors"),
        throttles=total("throttles"),
        duration_p50=newest("duration_p50"),
        duration_p95=newest("duration_p95"),
        concurrency=newest("concurrency"),
        write_units=newest("write_units", _MINUTE),
        read_units=newest("read_units", _MINUTE),
        table_throttles=_throttles(summed),
        sent=newest("sent", _MINUTE),
        settled=newest("settled", _MINUTE),
        oldest=newest("oldest"),
        series={
            **{
                key: _series({at: value / _MINUTE for at, value in summed.get(key, {}).items()})
                for key in ("sent", "settled", "received", "stored", "duplicates", "rejected", "invocations")
            },
            "depth": _series(depth),
        },
    )


def _throttles(summed: dict[str, dict[int, float]]) -> Value:
    # DynamoDB sends throttle metrics only when it throttles, and capacity whenever it is used: where it has
    # told of capacity and not of throttles, there were none.
    if summed.get("table_throttles"):
        return sum(summed["table_throttles"].values())
    return 0.0 if summed.get("write_units") else Absent("silent for 15 min")


def _sum(several: Iterable[dict[int, float]]) -> dict[int, float]:
    added: dict[int, float] = {}
    for values in several:
        for at, value in values.items():
            added[at] = added.get(at, 0.0) + value
    return added


def _series(values: dict[int, float]) -> Series:
    steps = {at // _MINUTE: value for at, value in values.items()}
    # A minute that has no value may still get one.
    return Series(_MINUTE, min(steps, default=0), max(steps, default=-1), steps, gap=None)
