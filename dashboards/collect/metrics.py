"""Read what the function processed, and the queue's and tables' metrics, from CloudWatch: for AWS.

One GetMetricData call reads them all, at most twice a minute because CloudWatch bills each metric (USD 0.01
per thousand, CloudWatch pricing, 2026).
"""

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import contract
from common.telemetry import NAMESPACE
from dashboards.collect.runner import Collector, CollectResult
from dashboards.state import HISTORY, Activity, Series
from dashboards.target import Target
from dashboards.values import Absent, Value
from tools.core import indexes

METRICS_INTERVAL = 30.0
_MINUTE = 60
# CloudWatch may publish a minute's values minutes later. Older values no longer describe the present.
_MAX_AGE = 300
_NO_RECENT_VALUE = Absent("silent for 5 min")
_NO_VALUE = Absent("silent for 15 min")
_OUTCOMES = ("received", "stored", "duplicates", "rejected")
# The keys whose values are counts per minute, shown as rates per second.
_RATES = (*_OUTCOMES, "invocations", "sent", "deleted")

Minutes = dict[int, float]
"""Values by the minute's start, in Unix seconds."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric to read. ``key`` is its name in this package; metrics of the same key are added up."""

    key: str
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    stat: str = "Sum"

    def to_query(self, number: int) -> dict[str, Any]:
        """Return the GetMetricData query for it, by minute."""
        dimensions = [{"Name": name, "Value": value} for name, value in self.dimensions]
        metric = {"Namespace": self.namespace, "MetricName": self.name, "Dimensions": dimensions}
        return {
            "Id": f"m{number}",
            "MetricStat": {"Metric": metric, "Period": _MINUTE, "Stat": self.stat},
        }


def list_metrics(target: Target) -> list[Metric]:
    """Return every metric to read."""
    queue = (("QueueName", target.queue_name),)
    function = (("FunctionName", target.function_name),)
    return [
        Metric("sent", "AWS/SQS", "NumberOfMessagesSent", queue),
        Metric("deleted", "AWS/SQS", "NumberOfMessagesDeleted", queue),
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
        Metric("queued_p95", NAMESPACE, "QueueLatency", function, "p95"),
        *(Metric(name, NAMESPACE, name.capitalize(), function) for name in _OUTCOMES),
        *(
            Metric(f"type_{name}", NAMESPACE, f"Stored{name.capitalize()}", function)
            for name in contract.EVENT_TYPES
        ),
        *_capacity_metrics(target),
    ]


def _capacity_metrics(target: Target) -> Iterator[Metric]:
    tables = (target.table_name, target.rejected_table_name, target.duplicates_table_name)
    sources: list[tuple[tuple[str, str], ...]] = [(("TableName", table),) for table in tables]
    # An index's capacity is measured separately from its table's.
    for index, table in (
        (indexes.BY_CUSTOMER, target.table_name),
        (indexes.BY_TYPE, target.table_name),
        (indexes.LARGE_ORDERS, target.table_name),
        (indexes.NEWEST_REJECTED, target.rejected_table_name),
    ):
        sources.append((("GlobalSecondaryIndexName", index.name), ("TableName", table)))
    for dimensions in sources:
        yield Metric("write_units", "AWS/DynamoDB", "ConsumedWriteCapacityUnits", dimensions)
        yield Metric("read_units", "AWS/DynamoDB", "ConsumedReadCapacityUnits", dimensions)
        yield Metric("table_throttles", "AWS/DynamoDB", "WriteThrottleEvents", dimensions)
        yield Metric("table_throttles", "AWS/DynamoDB", "ReadThrottleEvents", dimensions)


class Metrics(Collector):
    """Reads CloudWatch's metrics with one GetMetricData call."""

    reading = "activity"
    source = "CloudWatch"
    resource = "a metric"

    def __init__(self, target: Target, interval: float = METRICS_INTERVAL) -> None:
        super().__init__(target, interval)
        self._metrics = list_metrics(target)

    def collect(self) -> CollectResult:
        """Read the last `HISTORY` by minute and return the activity."""
        now = time.time()
        return CollectResult(build_activity(self._fetch(now), now))

    def _fetch(self, now: float) -> dict[str, list[Minutes]]:
        """Return the values of each key's metrics."""
        by_key: dict[str, list[Minutes]] = {}
        by_id: dict[str, Minutes] = {}
        for number, metric in enumerate(self._metrics):
            by_key.setdefault(metric.key, []).append(by_id.setdefault(f"m{number}", {}))
        pages = (
            self.target.clients["cloudwatch"]
            .get_paginator("get_metric_data")
            .paginate(
                MetricDataQueries=[metric.to_query(number) for number, metric in enumerate(self._metrics)],
                StartTime=datetime.fromtimestamp((now - HISTORY) // _MINUTE * _MINUTE, UTC),
                EndTime=datetime.fromtimestamp(math.ceil(now / _MINUTE) * _MINUTE, UTC),
            )
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                for timestamp, value in zip(result["Timestamps"], result["Values"], strict=True):
                    by_id[result["Id"]][int(timestamp.timestamp())] = float(value)
        return by_key


def build_activity(values: dict[str, list[Minutes]], now: float) -> Activity:
    """Return the activity: rates and quantiles of the newest whole minute, counts of all minutes."""
    sums = {key: _sum_by_minute(several) for key, several in values.items()}

    def newest(key: str, divisor: float = 1.0) -> Value:
        minutes = [minute for minute in sums.get(key, {}) if now - _MAX_AGE <= minute <= now - _MINUTE]
        return sums[key][max(minutes)] / divisor if minutes else _NO_RECENT_VALUE

    def total(key: str) -> Value:
        minutes = sums.get(key, {})
        return sum(minutes.values()) if minutes else _NO_VALUE

    last_minute = max(
        (minute for minutes in sums.values() for minute in minutes if minute <= now - _MINUTE), default=now
    )
    series = {
        key: _to_series({minute: count / _MINUTE for minute, count in sums.get(key, {}).items()})
        for key in _RATES
    }
    depth = _sum_by_minute([sums.get("visible", {}), sums.get("in_flight", {})])
    return Activity(
        window_end=last_minute + _MINUTE,
        window=_MINUTE,
        **{key: newest(key, _MINUTE) for key in _RATES},
        latency_p50=newest("latency_p50"),
        latency_p95=newest("latency_p95"),
        queued_p95=newest("queued_p95"),
        by_type={name: total(f"type_{name}") for name in contract.EVENT_TYPES},
        errors=total("errors"),
        throttles=total("throttles"),
        duration_p50=newest("duration_p50"),
        duration_p95=newest("duration_p95"),
        concurrency=newest("concurrency"),
        write_units=newest("write_units", _MINUTE),
        read_units=newest("read_units", _MINUTE),
        table_throttles=_count_table_throttles(sums),
        oldest=newest("oldest"),
        series={**series, "depth": _to_series(depth)},
    )


def _count_table_throttles(sums: dict[str, Minutes]) -> Value:
    # DynamoDB publishes throttle metrics only when it throttles, but capacity whenever it is used. Capacity
    # without throttles therefore means zero throttles.
    if sums.get("table_throttles"):
        return sum(sums["table_throttles"].values())
    return 0.0 if sums.get("write_units") else _NO_VALUE


def _sum_by_minute(several: Iterable[Minutes]) -> Minutes:
    sums: Minutes = {}
    for minutes in several:
        for minute, value in minutes.items():
            sums[minute] = sums.get(minute, 0.0) + value
    return sums


def _to_series(minutes: Minutes) -> Series:
    steps = {minute // _MINUTE: value for minute, value in minutes.items()}
    # No default: a minute without a value may still get one.
    return Series(_MINUTE, min(steps, default=0), max(steps, default=-1), steps, default=None)
