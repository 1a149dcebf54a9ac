from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from dashboards.collect.sources import Alarms, Alerts, Queues, TableCounts
from dashboards.errors import describe_error
from dashboards.state import Alarm, Alert, Tables
from dashboards.values import Absent
from tests.fakes import client_error
from tests.unit.dashboards.fakes import FakeClient, counters, raising, target, timestamp

URL = "http://127.0.0.1:1"


def test_the_counters_come_from_the_queue_and_the_dead_letter_queue() -> None:
    def respond(QueueUrl: str, **_: Any) -> Any:  # noqa: N803
        return counters(3) if QueueUrl.endswith("-dlq") else counters(7, 5, 2)

    sqs = FakeClient(get_queue_attributes=respond)
    depth = Queues(target(sqs=sqs), 1).collect().value
    assert (depth.visible, depth.in_flight, depth.delayed, depth.dead_letters, depth.total) == (
        7,
        5,
        2,
        3.0,
        14,
    )


def test_the_queue_is_still_read_if_the_dead_letter_queue_is_missing() -> None:
    def respond(QueueUrl: str, **_: Any) -> Any:  # noqa: N803
        if QueueUrl.endswith("-dlq"):
            raise client_error("GetQueueAttributes", "AWS.SimpleQueueService.NonExistentQueue")
        return counters(7)

    result = Queues(target(sqs=FakeClient(get_queue_attributes=respond)), 1).collect()
    assert result.value.visible == 7
    assert result.value.dead_letters == Absent("the dead-letter queue does not exist")
    assert result.error == "the dead-letter queue does not exist"


def test_the_other_tables_are_still_counted_if_one_is_missing() -> None:
    def respond(TableName: str) -> Any:  # noqa: N803
        if TableName.endswith("rejected"):
            raise client_error("DescribeTable", "ResourceNotFoundException")
        return {"Table": {"ItemCount": 12}}

    result = TableCounts(target(dynamodb=FakeClient(describe_table=respond)), 1).collect()
    assert result.value == Tables(12.0, Absent("a table does not exist"), 12.0)
    assert result.error == "a table does not exist"


def test_the_collector_fails_if_no_table_answers() -> None:
    missing = client_error("DescribeTable", "ResourceNotFoundException")
    collector = TableCounts(target(dynamodb=FakeClient(describe_table=raising(missing))), 1)
    with pytest.raises(type(missing)):
        collector.collect()


def test_all_metric_and_composite_alarms_with_the_pipelines_prefix_are_read() -> None:
    described = {
        "MetricAlarms": [
            {
                "AlarmName": "p-test-z",
                "StateValue": "ALARM",
                "StateTransitionedTimestamp": timestamp(100),
                "StateUpdatedTimestamp": timestamp(900),
            }
        ],
        "CompositeAlarms": [{"AlarmName": "p-test-unhealthy", "StateValue": "OK"}],
    }
    cloudwatch = FakeClient(describe_alarms=lambda **_: described)
    result = Alarms(target(cloudwatch=cloudwatch), 1).collect()
    assert result.value == (Alarm("unhealthy", "OK", None), Alarm("z", "ALARM", 100.0))
    assert cloudwatch.calls[0][1] == {
        "AlarmNamePrefix": "p-test-",
        "AlarmTypes": ["MetricAlarm", "CompositeAlarm"],
    }


def query_index(ExpressionAttributeValues: Any, **_: Any) -> Any:  # noqa: N803
    if ExpressionAttributeValues[":key"]["S"] == "large#3":
        order = {
            "event_id": {"S": "e-1"},
            "amount": {"N": "1234.5"},
            "currency": {"S": "EUR"},
            "received_at": {"S": "2026-11-23T01:00:00.000Z"},
            "processed_at": {"S": "2026-11-23T02:00:00.000Z"},
        }
        return {"Items": [order]}
    if ExpressionAttributeValues[":key"]["S"] == "rejected#7":
        rejected = {
            "kind": {"S": "invalid_event"},
            "summary": {"S": "$.amount must be a number"},
            "rejected_at": {"S": "2026-11-23T02:00:01.000Z"},
        }
        return {"Items": [rejected]}
    return {"Items": []}


def test_alerts_come_from_every_partition_of_both_indexes() -> None:
    dynamodb = FakeClient(query=query_index)
    result = Alerts(target(dynamodb=dynamodb), 1).collect()
    assert result.value == (
        Alert(1795399201.0, "rejected", "$.amount must be a number", ""),
        Alert(1795399200.0, "large order", "1,234.50 EUR", "e-1"),
    )
    assert {request["IndexName"] for _, request in dynamodb.calls} == {"large_orders", "newest"}
    assert len(dynamodb.calls) == 16


def test_an_item_that_is_no_alert_does_not_hide_the_others() -> None:
    hostile = [
        {"processed_at": {"S": "2026"}},
        {"processed_at": {"S": "0001-01-01T00:00:00+14:00"}, "amount": {"N": "1"}},
        {"processed_at": {"N": "1"}, "amount": {"S": "x"}},
        {"processed_at": {"S": "2026-11-23T01:00:00Z"}, "amount": {"N": "x"}},
    ]
    sort_keys: dict[str, Any] = {"received_at": {"S": "~"}, "rejected_at": {"S": "0001-01-01T00:00:00+14:00"}}

    def respond(**request: Any) -> Any:
        return {"Items": [item | sort_keys for item in hostile] * 10 + query_index(**request)["Items"]}

    result = Alerts(target(dynamodb=FakeClient(query=respond)), 1).collect()
    assert [alert.kind for alert in result.value] == ["rejected", "large order"]
    assert result.error is None


def test_alerts_of_one_index_are_shown_if_the_other_is_denied() -> None:
    def respond(TableName: str, **request: Any) -> Any:  # noqa: N803
        if TableName.endswith("rejected"):
            raise client_error("Query", "AccessDeniedException")
        return query_index(**request)

    result = Alerts(target(dynamodb=FakeClient(query=respond)), 1).collect()
    assert [alert.kind for alert in result.value] == ["large order"]
    assert result.error == "not allowed: Query"


DENIED = client_error("Query", "AccessDeniedException")
DENIED.response["Error"]["Message"] = "User: x is not authorized to perform: dynamodb:Query on resource: y"


@pytest.mark.parametrize(
    ("error", "description"),
    [
        (EndpointConnectionError(endpoint_url=URL), "SQS does not answer"),
        (ConnectTimeoutError(endpoint_url=URL), "SQS timed out"),
        (ReadTimeoutError(endpoint_url=URL), "SQS timed out"),
        (ConnectionResetError(), "SQS does not answer"),
        (NoCredentialsError(), "no AWS credentials"),
        (DENIED, "not allowed: dynamodb:Query"),
        (client_error("X", "QueueDoesNotExist"), "the queue does not exist"),
        (client_error("X", "ResourceNotFoundException"), "the queue does not exist"),
        (client_error("X", "ExpiredToken"), "AWS rejects the credentials"),
        (client_error("X", "ThrottlingException"), "SQS throttles requests"),
        (client_error("X", "InternalFailure"), "SQS: InternalFailure"),
        (KeyError("Attributes"), "SQS: KeyError 'Attributes'"),
        (RuntimeError(""), "SQS: RuntimeError "),
    ],
)
def test_every_error_is_described_in_one_short_line(error: Exception, description: str) -> None:
    assert describe_error(error, "SQS", "the queue") == description
