from __future__ import annotations

import json
from typing import Any

import pytest

from common.telemetry import NAMESPACE
from dashboards.collect.metrics import Metrics, activity, metrics_of
from dashboards.values import Absent
from processor.report import report
from tests.unit.dashboards.builders import NOW
from tests.unit.dashboards.fakes import Fake, moment, target
from tools.core.paths import ROOT

MINUTE = NOW - NOW % 60
WHOLE = int(MINUTE - 60)  # the newest minute that is over
DOCUMENTED = json.loads((ROOT / "tests" / "infrastructure" / "data" / "aws-metrics.json").read_text())


def minutes(**values: dict[int, float]) -> dict[str, list[dict[int, float]]]:
    return {key: [points] for key, points in values.items()}


def test_every_metric_of_aws_that_is_asked_for_is_one_that_aws_documents() -> None:
    unknown = [
        metric
        for metric in metrics_of(target())
        if metric.namespace != NAMESPACE
        and sorted(name for name, _ in metric.dimensions)
        not in DOCUMENTED[metric.namespace]["metrics"].get(metric.name, [])
    ]
    assert unknown == []


def test_every_metric_of_ours_that_is_asked_for_is_one_that_the_function_emits(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from datetime import UTC, datetime

    report([], [], "request-1", datetime.now(UTC))
    (directive,) = json.loads(capsys.readouterr().out)["_aws"]["CloudWatchMetrics"]
    emitted = {
        (metric["Name"], *dimensions)
        for metric in directive["Metrics"]
        for dimensions in directive["Dimensions"]
    }
    asked = {
        (metric.name, *(name for name, _ in metric.dimensions))
        for metric in metrics_of(target())
        if metric.namespace == directive["Namespace"]
    }
    assert len(asked) > 5
    assert asked <= emitted


def test_everything_is_asked_for_in_one_call() -> None:
    def answer(MetricDataQueries: list[dict[str, Any]], **_: Any) -> Any:  # noqa: N803
        return {
            "MetricDataResults": [
                {"Id": query["Id"], "Timestamps": [moment(WHOLE)], "Values": [60.0]}
                for query in MetricDataQueries
            ]
        }

    cloudwatch = Fake(get_metric_data=answer)
    collector = Metrics(target(cloudwatch=cloudwatch))
    collector.collect()
    assert len(cloudwatch.calls) == 1
    assert len(cloudwatch.calls[0][1]["MetricDataQueries"]) <= 500  # GetMetricData's limit


def test_rates_are_those_of_the_newest_minute_that_is_over() -> None:
    found = activity(minutes(received={WHOLE - 60: 6.0, WHOLE: 120.0, WHOLE + 60: 1.0}), NOW)
    assert found.received == 2.0
    assert found.ended == WHOLE + 60


def test_a_metric_that_has_been_silent_is_absent_and_not_zero() -> None:
    found = activity(minutes(received={WHOLE - 600: 6.0}), NOW)
    assert found.received == found.invocations == Absent("silent for 5 min")
    assert found.errors == found.throttles == Absent("silent for 15 min")


def test_capacity_is_that_of_tables_and_indexes_together() -> None:
    found = activity({"write_units": [{WHOLE: 60.0}, {WHOLE: 120.0}]}, NOW)
    assert found.write_units == 3.0


def test_no_throttle_metric_beside_used_capacity_means_no_throttles() -> None:
    assert activity(minutes(write_units={WHOLE: 60.0}), NOW).table_throttles == 0.0
    assert activity(minutes(), NOW).table_throttles == Absent("silent for 15 min")
    assert activity(minutes(table_throttles={WHOLE: 2.0, WHOLE - 60: 1.0}), NOW).table_throttles == 3.0


def test_the_depth_of_the_last_minutes_is_what_was_visible_and_in_flight() -> None:
    found = activity(minutes(visible={WHOLE: 5.0}, in_flight={WHOLE: 2.0}), NOW)
    assert found.series["depth"].at(WHOLE + 30) == 7.0
    assert found.series["depth"].at(WHOLE + 90) is None
