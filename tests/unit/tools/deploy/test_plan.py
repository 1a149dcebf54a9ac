"""Summarise a plan."""

from typing import Any

from tools.deploy.plan import ADDED, CHANGED, DESTROYED, REPLACED, changes, summary


def entry(address: str, *actions: str, **change: Any) -> dict[str, Any]:
    return {"address": address, "type": address.split(".")[0], "change": {"actions": list(actions), **change}}


def said(*entries: dict[str, Any]) -> list[str]:
    return [line.plain for line in summary(changes({"resource_changes": list(entries)}))]


def test_each_change_is_counted_by_its_kind() -> None:
    found = changes(
        {
            "resource_changes": [
                entry("aws_sns_topic.a", "create"),
                entry("aws_sns_topic.b", "update"),
                entry("aws_sns_topic.c", "delete"),
                entry("aws_sns_topic.d", "delete", "create"),
                entry("aws_sns_topic.e", "create", "delete"),
                entry("aws_sns_topic.f", "no-op"),
                entry("data.aws_region.g", "read"),
                entry("terraform_data.provider_gaps", "update"),
            ]
        }
    )
    assert [change.kind for change in found] == [ADDED, CHANGED, DESTROYED, REPLACED, REPLACED]
    assert summary(found)[0].plain == "1 added, 1 changed, 2 replaced, 1 destroyed"


def test_a_destroyed_table_is_reported_as_data_loss_in_red() -> None:
    lines = summary(changes({"resource_changes": [entry("aws_dynamodb_table.events", "delete")]}))
    assert lines[1].plain == "DATA IS LOST: aws_dynamodb_table.events is destroyed, with all its content"
    assert "red" in str(lines[1].style)


def test_an_alarm_that_is_replaced_loses_nothing() -> None:
    lines = said(entry("aws_cloudwatch_metric_alarm.a", "delete", "create", replace_paths=[["alarm_name"]]))
    assert lines[1:] == ["  ! aws_cloudwatch_metric_alarm.a (alarm_name)"]


def test_a_change_is_named_with_its_arguments() -> None:
    before, after = {"timeout": 1, "name": "n", "arn": "a"}, {"timeout": 2, "name": "n"}
    lines = said(entry("aws_x.y", "update", before=before, after=after, after_unknown={"version": True}))
    assert lines[1:] == ["  ~ aws_x.y (timeout, version)"]


def test_new_resources_are_counted_by_type() -> None:
    lines = said(*(entry(f"aws_sns_topic.t{n}", "create") for n in range(3)))
    assert lines[1:] == ["  + 3 aws_sns_topic"]
