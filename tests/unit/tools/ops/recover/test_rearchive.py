"""rearchive writes the items of a time range, and no others, to objects with stable names."""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.archiver import factories
from tests.unit.tools.fakes import FAILURES, FakeDynamoDB, FakeS3, FakeSQS, pipeline
from tools.core import archive_objects
from tools.core.errors import ToolError
from tools.core.resources import require_archive
from tools.core.time_range import TimeRange
from tools.ops.recover import rearchive

NOW = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)
RANGE = TimeRange(datetime(2026, 11, 22, 14, tzinfo=UTC), datetime(2026, 11, 22, 15, tzinfo=UTC))


class Harness:
    """Two tables with items of several times, and an archive."""

    def __init__(self) -> None:
        self.s3, self.dynamodb, self.sqs = FakeS3(), FakeDynamoDB(), FakeSQS()
        self.resources = pipeline(archive=True, s3=self.s3, dynamodb=self.dynamodb, sqs=self.sqs)

    def event(self, event_id: str, received_at: str = "2026-11-22T14:30:00.000Z", **changes: Any) -> None:
        item = factories.stored(factories.order(event_id=event_id))
        self._put("events", event_id, item, {"received_at": {"S": received_at}, **changes})

    def rejection(self, message_id: str, received_at: str, rejected_at: str) -> None:
        times = {"received_at": {"S": received_at}, "rejected_at": {"S": rejected_at}}
        self._put(
            "rejected", message_id, factories.rejected("{}"), {"message_id": {"S": message_id}, **times}
        )

    def duplicate(self, message_id: str, received_at: str) -> None:
        times = {"received_at": {"S": received_at}}
        item = factories.duplicate(factories.order())
        self.dynamodb.tables["duplicates"][message_id] = {**item, "message_id": {"S": message_id}, **times}

    def _put(self, table: str, key: str, item: dict[str, Any], changes: dict[str, Any]) -> None:
        payload = {"B": b64decode(item["payload"]["B"])}
        self.dynamodb.tables[table][key] = {**item, "payload": payload, **changes}

    def archived(self) -> list[str]:
        lines = [
            json.loads(line) for data in self.s3.objects.values() for line in archive_objects.lines(data)
        ]
        return sorted(line["event_id"] if "event" in line else line["message_id"] for line in lines)


@pytest.fixture
def harness() -> Harness:
    return Harness()


def run(harness: Harness, time_range: TimeRange = RANGE) -> rearchive.RearchiveResult:
    return rearchive.rearchive(harness.resources, time_range, lambda count: None)


def test_only_items_received_in_the_time_range_are_written(harness: Harness) -> None:
    for event_id, received_at in (
        ("before", "2026-11-22T13:59:59.999Z"),
        ("first", "2026-11-22T14:00:00.000Z"),
        ("last", "2026-11-22T14:59:59.999Z"),
        ("after", "2026-11-22T15:00:00.000Z"),
    ):
        harness.event(event_id, received_at)
    result = run(harness)
    assert harness.archived() == ["first", "last"]
    assert result.lines == {"events/type=order": 2}
    assert result.objects == len(harness.s3.objects) == 1


def test_duplicates_received_in_the_time_range_are_written(harness: Harness) -> None:
    for message_id, received_at in (
        ("before", "2026-11-22T13:59:59.999Z"),
        ("in", "2026-11-22T14:00:00.000Z"),
        ("out", "2026-11-22T15:00:00.000Z"),
    ):
        harness.duplicate(message_id, received_at)
    assert run(harness).lines == rearchive.dry_run(harness.resources, RANGE).lines == {"duplicates": 1}
    assert harness.archived() == ["in"]


def test_a_rejected_event_is_selected_by_the_time_it_was_received(harness: Harness) -> None:
    harness.rejection("in", "2026-11-22T14:59:00.000Z", "2026-11-24T09:00:00.000Z")
    harness.rejection("out", "2026-11-22T15:01:00.000Z", "2026-11-22T15:02:00.000Z")
    run(harness)
    assert harness.archived() == ["in"]
    (key,) = harness.s3.objects
    assert key.startswith("rejected/kind=invalid_event/dt=2026-11-22/hour=14/rearchive-")


def test_the_same_time_range_gives_the_same_objects(harness: Harness) -> None:
    for n in range(60):
        harness.event(f"evt-{n}", f"2026-11-22T14:{n:02d}:00.000Z")
    run(harness)
    once = dict(harness.s3.objects)
    run(harness)
    assert harness.s3.objects == once
    assert len(harness.archived()) == 60


def test_a_dry_run_counts_the_same_lines_and_writes_nothing(harness: Harness) -> None:
    harness.event("a")
    harness.rejection("m", "2026-11-22T14:59:00.000Z", "2026-11-22T14:59:01.000Z")
    counted = rearchive.dry_run(harness.resources, RANGE)
    assert harness.s3.objects == {}
    assert counted.lines == run(harness).lines


def test_an_item_that_cannot_be_converted_is_reported_and_the_others_are_written(harness: Harness) -> None:
    harness.event("good")
    harness.event("bad", content_hash={"S": "0" * 64})
    result = run(harness)
    assert harness.archived() == ["good"]
    assert result.refused_count == 1
    assert "content hash" in result.refused["bad"]


def test_failed_batches_are_listed_and_stay_in_their_queue(harness: Harness) -> None:
    batch = {
        "streamArn": "arn:aws:dynamodb:us-east-1:0:table/events/stream/x",
        "batchSize": 7,
        "approximateArrivalOfFirstRecord": "2026-11-22T14:00:00Z",
        "approximateArrivalOfLastRecord": "2026-11-22T14:00:09Z",
    }
    context = {"condition": "RetryAttemptsExhausted"}
    harness.sqs.put(FAILURES, json.dumps({"requestContext": context, "DDBStreamBatchInfo": batch}))
    (failure,) = rearchive.failed_batches(harness.resources)
    assert (failure.table, failure.records, failure.reason) == ("events", 7, "RetryAttemptsExhausted")
    assert not any(message["hidden"] for message in harness.sqs.queues[FAILURES])


def test_a_pipeline_without_an_archive_says_so() -> None:
    with pytest.raises(ToolError, match="no archive"):
        require_archive(pipeline())
