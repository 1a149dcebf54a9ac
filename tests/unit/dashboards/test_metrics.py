from __future__ import annotations

import json
from typing import Any

import pytest

from common.telemetry import NAMESPACE
from dashboards.collect.metrics import Metrics, build_activity, list_metrics
from dashboards.values import Absent
from processor.report import report
from processor.results import STORED, MessageResult
from tests.boundary import activity, read_message
from tests.unit.dashboards.builders import NOW
from tests.unit.dashboards.fakes import FakeClient, target, timestamp
from tools.core.paths import ROOT

MINUTE = NOW - NOW % 60
WHOLE = int(MINUTE - 60)  # the newest whole minute
DOCUMENTED = json.loads((ROOT / "tests" / "infrastructure" / "data" / "aws-metrics.json").read_text())


def minutes(**values: dict[int, float]) -> dict[str, list[dict[int, float]]]:
    return {key: [points] for key, points in values.items()}


def test_aws_documents_every_aws_metric_that_is_read() -> None:
    unknown = [
        metric
        for metric in list_metrics(target())
        if metric.namespace != NAMESPACE
        and sorted(name for name, _ in metric.dimensions)
        not in DOCUMENTED[metric.namespace]["metrics"].get(metric.name, [])
    ]
    assert unknown == []


def test_the_function_emits_every_own_metric_that_is_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from datetime import UTC, datetime

    stored = MessageResult(read_message(activity("e-1", "")), STORED)
    report([stored], [], "request-1", datetime.now(UTC), datetime.now(UTC))
    (directive,) = json.loads(capsys.readouterr().out)["_aws"]["CloudWatchMetrics"]
    emitted = {
        (metric["Name"], *dimensions)
        for metric in directive["Metrics"]
        for dimensions in directive["Dimensions"]
    }
    read = {
        (metric.name, *(name for name, _ in metric.dimensions))
        for metric in list_metrics(target())
        if metric.namespace == directive["Namespace"]
    }
    assert len(read) > 5
    assert read <= emitted


def test_all_metrics_are_read_in_one_call() -> None:
    def respond(MetricDataQueries: list[dict[str, Any]], **_: Any) -> Any:  # noqa: N803
        return {
            "MetricDataResults": [
                {"Id": query["Id"], "Timestamps": [timestamp(WHOLE)], "Values": [60.0]}
                for query in MetricDataQueries
            ]
        }

    cloudwatch = FakeClient(get_metric_data=respond)
    collector = Metrics(target(cloudwatch=cloudwatch))
    collector.collect()
    assert len(cloudwatch.calls) == 1
    assert len(cloudwatch.calls[0][1]["MetricDataQueries"]) <= 500  # GetMetricData's limit


def test_rates_are_those_of_the_newest_whole_minute() -> None:
    activity = build_activity(minutes(received={WHOLE - 60: 6.0, WHOLE: 120.0, WHOLE + 60: 1.0}), NOW)
    assert activity.received == 2.0
    assert activity.window_end == WHOLE + 60


def test_a_metric_without_recent_values_is_absent_and_not_zero() -> None:
    activity = build_activity(minutes(received={WHOLE - 600: 6.0}), NOW)
    assert activity.received == activity.invocations == Absent("silent for 5 min")
    assert activity.errors == activity.throttles == Absent("silent for 15 min")


def test_capacity_is_the_sum_of_tables_and_indexes() -> None:
    activity = build_activity({"write_units": [{WHOLE: 60.0}, {WHOLE: 120.0}]}, NOW)
    assert activity.write_units == 3.0


def test_used_capacity_without_a_throttle_metric_means_no_throttles() -> None:
    assert build_activity(minutes(write_units={WHOLE: 60.0}), NOW).table_throttles == 0.0
    assert build_activity(minutes(), NOW).table_throttles == Absent("silent for 15 min")
    assert build_activity(minutes(table_throttles={WHOLE: 2.0, WHOLE - 60: 1.0}), NOW).table_throttles == 3.0


def test_the_depth_by_minute_is_visible_plus_in_flight() -> None:
    activity = build_activity(minutes(visible={WHOLE: 5.0}, in_flight={WHOLE: 2.0}), NOW)
    assert activity.series["depth"].value_at(WHOLE + 30) == 7.0
    assert activity.series["depth"].value_at(WHOLE + 90) is None
