"""Find the alarms that a plan would change only because the emulator reads them back incompletely.

In the AWS provider's protocols MiniStack loses fields of an alarm, so that each plan updates it again. In
boto3's protocol MiniStack returns all fields that it keeps, and this module compares them with the config.
docs/emulators.md lists the fields that it does not keep.
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
# The provider's name of each argument, and CloudWatch's.
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
    """Return the addresses of alarms that the plan would change although they equal the config.

    ``plan`` is the output of ``terraform show -json``; ``cloudwatch`` is a boto3 client.
    """
    return {
        entry["address"]
        for entry in plan.get("resource_changes", [])
        if entry["type"] in _ARGUMENTS
        and entry["change"]["actions"] == ["update"]
        and _equals_config(entry["type"], entry["change"], cloudwatch)
    }


def _equals_config(kind: str, change: Mapping[str, Any], cloudwatch: Any) -> bool:
    before, planned = change["before"], change["after"]
    answer = cloudwatch.describe_alarms(
        AlarmNames=[planned["alarm_name"]], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    # The provider reads tags back correctly.
    return before.get("tags_all") == planned.get("tags_all") and any(
        all(
            _normalized(planned.get(argument)) == _normalized(kept.get(name))
            for argument, name in _compared(kind, planned)
        )
        for kept in answer.get("MetricAlarms", []) + answer.get("CompositeAlarms", [])
    )


def _compared(kind: str, planned: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Return the arguments that MiniStack keeps, with CloudWatch's names for them."""
    skipped: set[str] = set()
    if planned.get("metric_query"):
        # It replaces an expression by an invented metric.
        skipped = {"period", "statistic"}
    elif planned.get("extended_statistic"):
        skipped = {"statistic"}
    return [(argument, name) for argument, name in _ARGUMENTS[kind].items() if argument not in skipped]


def _normalized(value: Any) -> Any:
    """Return a value in a form that both sides share: empty becomes None, and lists are sorted."""
    if isinstance(value, Mapping):
        value = list(value.items())
    if isinstance(value, list):
        value = sorted((one["Name"], one["Value"]) if isinstance(one, Mapping) else one for one in value)
    return value or None
