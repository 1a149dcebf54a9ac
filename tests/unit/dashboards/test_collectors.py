from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from dashboards.collect.alarms import Alarms
from dashboards.collect.alerts import Alerts
from dashboards.collect.queues import Queues
from dashboards.collect.tables import TableCounts
from dashboards.errors import error_text
from dashboards.state import Alarm, Alert, Tables
from dashboards.values import Absent
from tests.fakes import client_error
from tests.unit.dashboards.fakes import Fake, counters, moment, raising, target

URL = "http://127.0.0.1:1"


def test_the_queues_counters_come_from_both_queues() -> None:
    def answer(QueueUrl: str, **_: Any) -> Any:  # noqa: N803
        return counters(3) if QueueUrl.endswith("-dlq") else counters(7, 5, 2)

    sqs = Fake(get_queue_attributes=answer)
    depth = Queues(target(sqs=sqs), 1).collect().value
    assert (depth.visible, depth.in_flight, depth.delayed, depth.dead, depth.total) == (7, 5, 2, 3.0, 14)


def test_without_its_dead_letter_queue_the_queue_is_still_read() -> None:
    def answer(QueueUrl: str, **_: Any) -> Any:  # noqa: N803
        if QueueUrl.endswith("-dlq"):
            raise client_error("GetQueueAttributes", "AWS.SimpleQueueService.NonExistentQueue")
        return counters(7)

    seen = Queues(target(sqs=Fake(get_queue_attributes=answer)), 1).collect()
    assert seen.value.visible == 7
    assert seen.value.dead == Absent("the dead-letter queue does not exist")
    assert seen.error_text == "the dead-letter queue does not exist"


def test_a_missing_table_leaves_the_other_counts() -> None:
    def answer(TableName: str) -> Any:  # noqa: N803
        if TableName.endswith("rejected"):
            raise client_error("DescribeTable", "ResourceNotFoundException")
        return {"Table": {"ItemCount": 12}}

    seen = TableCounts(target(dynamodb=Fake(describe_table=answer)), 1).collect()
    assert seen.value == Tables(12.0, Absent("a table does not exist"), 12.0)
    assert seen.error_text == "a table does not exist"


def test_where_no_table_answers_the_source_has_failed() -> None:
    gone = client_error("DescribeTable", "ResourceNotFoundException")
    collector = TableCounts(target(dynamodb=Fake(describe_table=raising(gone))), 1)
    with pytest.raises(type(gone)):
        collector.collect()


def test_alarms_are_all_that_have_the_pipelines_name_in_front_composite_ones_too() -> None:
    described = {
        "MetricAlarms": [
            {
                "AlarmName": "p-test-z",
                "StateValue": "ALARM",
                "StateTransitionedTimestamp": moment(100),
                "StateUpdatedTimestamp": moment(900),
            }
        ],
        "CompositeAlarms": [{"AlarmName": "p-test-unhealthy", "StateValue": "OK"}],
    }
    cloudwatch = Fake(describe_alarms=lambda **_: described)
    seen = Alarms(target(cloudwatch=cloudwatch), 1).collect()
    assert seen.value == (Alarm("unhealthy", "OK", None), Alarm("z", "ALARM", 100.0))
    assert cloudwatch.calls[0][1] == {
        "AlarmNamePrefix": "p-test-",
        "AlarmTypes": ["MetricAlarm", "CompositeAlarm"],
    }


def index_entry(ExpressionAttributeValues: Any, **_: Any) -> Any:  # noqa: N803
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


def test_alerts_are_the_newest_of_every_partition_of_both_indexes() -> None:
    dynamodb = Fake(query=index_entry)
    seen = Alerts(target(dynamodb=dynamodb), 1).collect()
    assert seen.value == (
        Alert(1795399201.0, "rejected", "$.amount must be a number", ""),
        Alert(1795399200.0, "large order", "1,234.50 EUR", "e-1"),
    )
    assert {request["IndexName"] for _, request in dynamodb.calls} == {"large_orders", "newest"}
    assert len(dynamodb.calls) == 16


def test_where_one_index_may_not_be_read_the_other_alerts_are_still_shown() -> None:
    def answer(TableName: str, **request: Any) -> Any:  # noqa: N803
        if TableName.endswith("rejected"):
            raise client_error("Query", "AccessDeniedException")
        return index_entry(**request)

    seen = Alerts(target(dynamodb=Fake(query=answer)), 1).collect()
    assert [alert.kind for alert in seen.value] == ["large order"]
    assert seen.error_text == "not allowed: Query"


DENIED = client_error("Query", "AccessDeniedException")
DENIED.response["Error"]["Message"] = "User: x is not authorized to perform: dynamodb:Query on resource: y"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (EndpointConnectionError(endpoint_url=URL), "SQS does not answer"),
        (ConnectTimeoutError(endpoint_url=URL), "SQS takes too long to answer"),
        (ReadTimeoutError(endpoint_url=URL), "SQS takes too long to answer"),
        (ConnectionResetError(), "SQS does not answer"),
        (NoCredentialsError(), "no AWS credentials"),
        (DENIED, "not allowed: dynamodb:Query"),
        (client_error("X", "QueueDoesNotExist"), "the queue does not exist"),
        (client_error("X", "ResourceNotFoundException"), "the queue does not exist"),
        (client_error("X", "ExpiredToken"), "the credentials are not accepted"),
        (client_error("X", "ThrottlingException"), "SQS throttles us"),
        (client_error("X", "InternalFailure"), "SQS: InternalFailure"),
        (KeyError("Attributes"), "SQS: KeyError 'Attributes'"),
        (RuntimeError(""), "SQS: RuntimeError "),
    ],
)
def test_whatever_goes_wrong_is_said_in_one_short_line(error: Exception, said: str) -> None:
    assert error_text(error, "SQS", "the queue") == said
