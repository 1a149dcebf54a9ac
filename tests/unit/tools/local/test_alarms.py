"""Find alarms that an emulator reads back incompletely and that equal the config."""

from __future__ import annotations

from typing import Any

import pytest

from tools.local import alarms

TOPIC = "arn:aws:sns:us-east-1:000000000000:ops"
SAID = {
    "alarm_name": "errors",
    "alarm_actions": [TOPIC],
    "ok_actions": [],
    "comparison_operator": "GreaterThanThreshold",
    "dimensions": {"FunctionName": "processor"},
    "evaluation_periods": 5,
    "extended_statistic": None,
    "metric_name": "Errors",
    "metric_query": [],
    "namespace": "AWS/Lambda",
    "period": 60,
    "statistic": "Sum",
    "threshold": 0,
    "tags_all": {"ManagedBy": "terraform"},
}
KEPT = {
    "AlarmName": "errors",
    "AlarmActions": [TOPIC],
    "ComparisonOperator": "GreaterThanThreshold",
    "Dimensions": [{"Name": "FunctionName", "Value": "processor"}],
    "EvaluationPeriods": 5,
    "MetricName": "Errors",
    "Namespace": "AWS/Lambda",
    "Period": 60,
    "Statistic": "Sum",
    "Threshold": 0.0,
}
PERCENTILE = {"extended_statistic": "p99", "statistic": None}
EXPRESSION = {
    "dimensions": None,
    "metric_name": None,
    "metric_query": [{"expression": "a / b"}],
    "namespace": None,
    "period": None,
    "statistic": None,
}
AVERAGE = {"Period": 60, "Statistic": "Average"}


class CloudWatch:
    """A client that returns these alarms."""

    def __init__(self, *kept: dict[str, Any]) -> None:
        self.kept = kept

    def describe_alarms(self, AlarmNames: list[str], **_: Any) -> dict[str, Any]:  # noqa: N803
        found = [alarm for alarm in self.kept if alarm["AlarmName"] in AlarmNames]
        return {"MetricAlarms": found, "CompositeAlarms": []}


def misread(said: dict[str, Any], *kept: dict[str, Any], action: str = "update", **entry: Any) -> set[str]:
    change = {"actions": [action], "before": {"tags_all": SAID["tags_all"]}, "after": said}
    planned = {"address": "alarm", "type": alarms.METRIC, "change": change, **entry}
    return alarms.misread({"resource_changes": [planned]}, CloudWatch(*kept))


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({}, {}),
        (PERCENTILE, {**AVERAGE, "ExtendedStatistic": "p99"}),
        (EXPRESSION, {**AVERAGE, "MetricName": None, "Namespace": None, "Dimensions": []}),
    ],
    ids=["statistic", "percentile", "expression"],
)
def test_an_alarm_that_is_kept_like_the_config_is_misread(said: dict[str, Any], kept: dict[str, Any]) -> None:
    assert misread({**SAID, **said}, {**KEPT, **kept}) == {"alarm"}


@pytest.mark.parametrize(
    "kept",
    [
        {"Threshold": 7.0},
        {"AlarmActions": []},
        {"Dimensions": [{"Name": "FunctionName", "Value": "another"}]},
        {"Statistic": "Average"},
        {"Period": 300},
        {"OKActions": [TOPIC]},
    ],
    ids=lambda kept: str(next(iter(kept))),
)
def test_an_alarm_that_was_changed_by_hand_is_different(kept: dict[str, Any]) -> None:
    assert misread(SAID, {**KEPT, **kept}) == set()


def test_an_alarm_that_is_missing_or_has_other_tags_is_different() -> None:
    assert misread(SAID) == set()
    assert misread({**SAID, "tags_all": {}}, KEPT) == set()
    assert misread(SAID, KEPT, action="delete") == set()
    assert misread(SAID, KEPT, type="aws_sqs_queue") == set()
