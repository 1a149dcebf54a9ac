"""Each alarm watches existing metrics, notifies the right topics and names its runbook."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.infrastructure.configuration import ENVIRONMENTS, Variables, environment, policy, resources
from tests.infrastructure.monitoring import Known, Metric, Monitoring, assert_exists, metrics_of_alarm
from tools.core.paths import ROOT

OPS, ALERTS = "aws_sns_topic.ops.arn", "aws_sns_topic.alerts.arn"
RUNBOOK = ROOT / "docs" / "reliability.md"
# What business wants to know of goes to the alerts topic as well.
FOR_BUSINESS = {"rejection_rate", "large_orders"}
# What an alarm makes of silence, and what that silence is.
SILENCE = {
    "dead_letters": "ignore",  # nobody touched the queue for six hours; what lay in it still does
    "backlog_growing": "ignore",  # the pollers are gone: what was growing did not stop
    "oldest_message": "notBreaching",  # the queue is empty
    "function_errors": "notBreaching",  # nothing was invoked
    "function_throttles": "notBreaching",
    "function_duration": "notBreaching",
    "queue_latency": "notBreaching",
    "messages_returned": "notBreaching",
    "table_throttles": "notBreaching",  # reported only when there are some
    "table_errors": "notBreaching",
    "alert_delivery": "notBreaching",
    "rejection_rate": "notBreaching",  # nothing came, so nothing was rejected
    "archiver_errors": "notBreaching",  # nothing was written
    "archiver_behind": "notBreaching",
    "archiver_stopped": "notBreaching",
    "unreadable_records": "notBreaching",
    "archive_failures": "ignore",  # as of the dead letters
    "large_orders": "notBreaching",  # nothing came, and nobody has said that something should have
}

NAMES = sorted(SILENCE)
EACH = pytest.mark.parametrize("name", NAMES)


def everything_that_can_alarm() -> list[str]:
    return [*NAMES, *resources("aws_cloudwatch_composite_alarm")]


def test_every_alarm_is_tested(monitoring: Monitoring) -> None:
    assert sorted(monitoring.alarms()) == NAMES


# Whom it tells, and what


@EACH
def test_an_alarm_notifies_the_right_topics_when_it_starts_and_ends(
    monitoring: Monitoring, name: str
) -> None:
    alarm = monitoring.alarm(name)
    topics = {OPS, ALERTS} if name in FOR_BUSINESS else {OPS}
    assert set(alarm["alarm_actions"]) == set(alarm["ok_actions"]) == topics


@EACH
def test_an_alarm_has_a_unique_name_that_its_topics_accept(monitoring: Monitoring, name: str) -> None:
    assert monitoring.alarm(name)["alarm_name"] == f"rt-pipeline-test-{name.replace('_', '-')}"


@pytest.mark.parametrize("name", everything_that_can_alarm())
def test_an_alarm_describes_the_fault_and_names_its_runbook(monitoring: Monitoring, name: str) -> None:
    alarms = {**monitoring.alarms(), "pipeline_unhealthy": monitoring.composite()}
    what, _, where = alarms[name]["alarm_description"].partition(" Runbook: ")
    assert what.endswith(".")
    assert where == f"{RUNBOOK.relative_to(ROOT)}#{name}"


@pytest.mark.parametrize("name", everything_that_can_alarm())
def test_the_runbook_has_a_section_for(name: str) -> None:
    headings = re.findall(r"^#{2,4} +`?(\w+)`? *$", RUNBOOK.read_text(), re.MULTILINE)
    assert headings.count(name) == 1


def test_the_pipeline_is_unhealthy_when_any_alarm_to_ops_alone_is_raised(monitoring: Monitoring) -> None:
    composite = monitoring.composite()
    to_ops = [name for name in NAMES if name not in FOR_BUSINESS]
    rule = {f'ALARM("aws_cloudwatch_metric_alarm.{name}.id")' for name in to_ops}
    assert set(composite["alarm_rule"].split(" OR ")) == rule
    assert composite["alarm_actions"] == composite["ok_actions"] == [OPS]


@EACH
def test_an_alarm_treats_missing_data_correctly(monitoring: Monitoring, name: str) -> None:
    assert monitoring.alarm(name)["treat_missing_data"] == SILENCE[name]


# What it watches


@EACH
def test_an_alarm_watches_only_existing_metrics(monitoring: Monitoring, known: Known, name: str) -> None:
    metrics = metrics_of_alarm(monitoring.alarm(name))
    assert 1 <= len(metrics) <= 10  # CloudWatch's limit for an expression
    for metric in metrics:
        assert_exists(metric, known, monitoring)


@EACH
def test_an_alarm_evaluates_one_value_of_its_queries(monitoring: Monitoring, name: str) -> None:
    alarm = monitoring.alarm(name)
    queries = {query["id"]: query for query in alarm.get("metric_query", ())}
    if not queries:
        assert {"metric_name", "period"} <= set(alarm)
        return
    (expression,) = (query["expression"] for query in queries.values() if "expression" in query)
    named = set(re.findall(r"\b[a-z]\w*", expression))
    assert named == {ident for ident, query in queries.items() if "metric" in query}
    returned = [query for query in queries.values() if query.get("return_data")]
    # A band is compared with the metric that it was learned from, so that both are returned.
    assert len(returned) == (2 if alarm.get("threshold_metric_id") else 1)


def test_every_table_and_every_index_is_watched_for_throttling(monitoring: Monitoring) -> None:
    watched = [
        (metric.dimensions["TableName"], metric.dimensions.get("GlobalSecondaryIndexName", ""))
        for metric in metrics_of_alarm(monitoring.alarm("table_throttles"))
    ]
    written = [(table, index) for table, indexes in monitoring.indexes().items() for index in ("", *indexes)]
    assert sorted(watched) == sorted(written)


def test_every_table_operation_of_the_function_is_watched_for_errors(monitoring: Monitoring) -> None:
    watched = {
        (metric.dimensions["TableName"], metric.dimensions["Operation"])
        for metric in metrics_of_alarm(monitoring.alarm("table_errors"))
    }
    granted = {
        (resource.removeprefix("${").removesuffix("arn}") + "name", action.removeprefix("dynamodb:"))
        for statement in policy("processor").values()
        for resource in statement["resources"]
        for action in statement["actions"]
        if action.startswith("dynamodb:")
    }
    # A transaction needs no right of its own, but counts under its own name.
    transactions = {
        (f"aws_dynamodb_table.{table}.name", "TransactWriteItems") for table in ("events", "rejected")
    }
    assert watched == granted | transactions


# When


@pytest.mark.parametrize("file", ENVIRONMENTS, ids=lambda file: file.stem)
def test_the_duration_is_an_alarm_at_80_percent_of_the_timeout(tmp_path: Path, file: Path) -> None:
    alarm = Monitoring(tmp_path, f"-var-file={file}").alarm("function_duration")
    assert alarm["threshold"] == 0.8 * environment(file).get("function_timeout", 30) * 1000


def test_a_message_that_fails_three_times_is_not_yet_too_old(variables: Variables) -> None:
    visibility, oldest = (
        variables.evaluate(expression, "-var=environment=test")
        for expression in (
            resources("aws_sqs_queue")["events"]["visibility_timeout_seconds"],
            "${var.oldest_message_seconds}",
        )
    )
    assert 3 * visibility < oldest


def test_the_backlog_must_grow_for_the_configured_time(monitoring: Monitoring, tmp_path: Path) -> None:
    alarm = monitoring.alarm("backlog_growing")
    assert alarm["evaluation_periods"] * alarm["metric_query"][0]["metric"][0]["period"] == 15 * 60
    other = Monitoring(tmp_path, "-var=backlog_minutes=60", "-var=backlog_messages=7").alarm(
        "backlog_growing"
    )
    assert other["evaluation_periods"] == 12
    assert other["metric_query"][1]["expression"] == "IF(waiting > 7, DIFF(waiting), 0)"


def usual(orders: dict[str, Any]) -> str:
    (query,) = (query for query in orders["metric_query"] if query["id"] == "usual")
    return str(query["expression"])


def test_the_usual_number_of_large_orders_is_learned(monitoring: Monitoring) -> None:
    alarm = monitoring.alarm("large_orders")
    assert usual(alarm) == "ANOMALY_DETECTION_BAND(orders, 3)"
    assert alarm["threshold_metric_id"] == "usual"
    assert alarm["comparison_operator"] == "LessThanLowerOrGreaterThanUpperThreshold"


@pytest.mark.parametrize(("fewest", "silence"), [(1, "breaching"), (0, "notBreaching")])
def test_the_usual_number_of_large_orders_can_be_configured(
    tmp_path: Path, fewest: int, silence: str
) -> None:
    said = f"-var=large_orders_per_hour={{fewest={fewest},most=50}}"
    alarm = Monitoring(tmp_path, said).alarm("large_orders")
    assert usual(alarm) == f"IF(orders < {fewest} OR orders > 50, 1, 0)"
    assert (alarm["comparison_operator"], alarm["threshold"]) == ("GreaterThanThreshold", 0)
    assert "threshold_metric_id" not in alarm
    assert alarm["treat_missing_data"] == silence


def test_one_dead_letter_is_an_alarm(monitoring: Monitoring) -> None:
    alarm = monitoring.alarm("dead_letters")
    (metric,) = metrics_of_alarm(alarm)
    assert metric.name == "ApproximateNumberOfMessagesVisible"
    assert metric.dimensions == {"QueueName": "aws_sqs_queue.events_dlq.name"}
    assert (alarm["comparison_operator"], alarm["threshold"]) == ("GreaterThanThreshold", 0)


# The check is itself checked: one that finds nothing proves nothing.


@pytest.mark.parametrize(
    "metric",
    [
        Metric("AWS/SQS", "ApproximateNumberOfMessages", {"QueueName": "aws_sqs_queue.events.name"}),
        Metric("AWS/Sqs", "NumberOfMessagesSent", {"QueueName": "aws_sqs_queue.events.name"}),
        Metric("AWS/SQS", "NumberOfMessagesSent", {"QueueUrl": "aws_sqs_queue.events.id"}),
        Metric("AWS/SQS", "NumberOfMessagesSent", {"QueueName": "aws_sqs_queue.events.arn"}),
        Metric("AWS/SQS", "NumberOfMessagesSent", {"QueueName": "aws_sqs_queue.other.name"}),
        Metric("AWS/DynamoDB", "SystemErrors", {"TableName": "aws_dynamodb_table.events.name"}),
        Metric(
            "AWS/DynamoDB",
            "WriteThrottleEvents",
            {"TableName": "aws_dynamodb_table.rejected.name", "GlobalSecondaryIndexName": "by_type"},
        ),
        Metric("RtPipeline", "Lost", {"FunctionName": "aws_lambda_function.processor.function_name"}),
        Metric("RtPipeline", "Stored", {}),
    ],
    ids=lambda metric: f"{metric.namespace}-{metric.name}-{len(metric.dimensions)}",
)
def test_a_metric_that_does_not_exist_is_detected(
    monitoring: Monitoring, known: Known, metric: Metric
) -> None:
    with pytest.raises((AssertionError, KeyError)):
        assert_exists(metric, known, monitoring)
