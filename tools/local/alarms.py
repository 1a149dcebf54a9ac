"""Find the alarms that a plan would change only because the emulator reads them back incompletely.

In the AWS provider's protocols MiniStack loses fields of an alarm, so that each plan updates it again. In
boto3's protocol MiniStack returns all fields that it keeps, and this module compares them with the config.
docs/emulators.md lists the fields that it does not keep.
"""

from collections.abc import Mapping
from typing import Any

METRIC, COMPOSITE = "aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm"
# The provider's names of the arguments that MiniStack keeps. CloudWatch's are the same in camel case.
_ALARM = ("actions_enabled", "alarm_actions", "alarm_description", "insufficient_data_actions", "ok_actions")
_ARGUMENTS = {
    METRIC: (
        *(*_ALARM, "comparison_operator", "datapoints_to_alarm", "dimensions", "evaluation_periods"),
        *("extended_statistic", "metric_name", "namespace", "period", "statistic", "threshold"),
        *("treat_missing_data", "unit"),
    ),
    COMPOSITE: (*_ALARM, "alarm_rule"),
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
    # It replaces an expression by an invented metric, and adds a statistic to a percentile.
    invented = {"period", "statistic"} if planned.get("metric_query") else set()
    invented |= {"statistic"} if planned.get("extended_statistic") else set()
    compared = {ours: _of_cloudwatch(ours) for ours in _ARGUMENTS[kind] if ours not in invented}
    # The provider reads tags back correctly.
    return before.get("tags_all") == planned.get("tags_all") and any(
        all(_normalized(planned.get(ours)) == _normalized(kept.get(its)) for ours, its in compared.items())
        for kept in answer.get("MetricAlarms", []) + answer.get("CompositeAlarms", [])
    )


def _of_cloudwatch(argument: str) -> str:
    return "".join("OK" if word == "ok" else word.capitalize() for word in argument.split("_"))


def _normalized(value: Any) -> Any:
    """Return a value in a form that both sides share: empty becomes None, and lists are sorted."""
    if isinstance(value, Mapping):
        value = list(value.items())
    if isinstance(value, list):
        value = sorted((one["Name"], one["Value"]) if isinstance(one, Mapping) else one for one in value)
    return value or None
