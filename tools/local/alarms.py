"""Tells what an emulator only reads back wrongly from what is really different: CloudWatch's alarms.

MiniStack loses fields of an alarm in the protocols that the AWS provider speaks, so each plan wants to put
the alarm again. In boto3's protocol MiniStack reads out all that it keeps, and that is compared here with
what the config says. docs/emulators.md lists what it does not keep.
"""

from collections.abc import Iterable, Mapping
from typing import Any

METRIC, COMPOSITE = "aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"
_ALARM = {
    "actions_enabled": "ActionsEnabled",
    "alarm_actions": "AlarmActions",
    "alarm_description": "AlarmDescription",
    "insufficient_data_actions": "InsufficientDataActions",
    "ok_actions": "OKActions",
}
# The provider's name of an argument, and CloudWatch's.
_ARGUMENTS = {
    METRIC: {
        **_ALARM,
        "comparison_operator": "ComparisonOperator",
        "datapoints_to_alarm": "DatapointsToAlarm",
        "dimensions": "Dimensions",
        "evaluation_periods": "EvaluationPeriods",
        "extended_statistic": "ExtendedStatistic",
        "metric_name": "MetricName",
        "namespace": "Namespace",
        "period": "Period",
        "statistic": "Statistic",
        "threshold": "Threshold",
        "treat_missing_data": "TreatMissingData",
        "unit": "Unit",
    },
    COMPOSITE: {**_ALARM, "alarm_rule": "AlarmRule"},
}


def misread(plan: Mapping[str, Any], cloudwatch: Any) -> set[str]:
    """Return the addresses of alarms that the plan would change though they are as the config says.

    ``plan`` is as ``terraform show -json`` gives it; ``cloudwatch`` is a boto3 client.
    """
    return {
        entry["address"]
        for entry in plan.get("resource_changes", [])
        if entry["type"] in _ARGUMENTS
        and entry["change"]["actions"] == ["update"]
        and _is_as_said(entry["type"], entry["change"], cloudwatch)
    }


def _is_as_said(kind: str, change: Mapping[str, Any], cloudwatch: Any) -> bool:
    before, said = change["before"], change["after"]
    answer = cloudwatch.describe_alarms(
        AlarmNames=[said["alarm_name"]], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    # Tags are read back as they are.
    return before.get("tags_all") == said.get("tags_all") and any(
        all(_plain(said.get(argument)) == _plain(kept.get(name)) for argument, name in _compared(kind, said))
        for kept in answer.get("MetricAlarms", []) + answer.get("CompositeAlarms", [])
    )


def _compared(kind: str, said: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Return the arguments that MiniStack keeps, with CloudWatch's names for them."""
    skipped: set[str] = set()
    if said.get("metric_query"):
        # It keeps no expression, and makes up a metric instead.
        skipped = {"period", "statistic"}
    elif said.get("extended_statistic"):
        skipped = {"statistic"}
    return [(argument, name) for argument, name in _ARGUMENTS[kind].items() if argument not in skipped]


def _plain(value: Any) -> Any:
    """Return a value as both sides can say it: absent and empty are the same, and lists have no order."""
    if isinstance(value, Mapping):
        value = list(value.items())
    if isinstance(value, list):
        value = sorted((one["Name"], one["Value"]) if isinstance(one, Mapping) else one for one in value)
    return value or None
