"""End to end: what is stored or rejected is archived, and what is not can be archived again."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.conftest import OUTCOME_SECONDS, Pipeline
from tests.integration.running_ops import ops, resources
from tests.integration.test_pipeline import activity, event_id, order
from tests.waiting import eventually
from tools.core import archive_objects
from tools.ops.verify import archive, snapshot
from tools.ops.verify.archive import ArchiveCheck


def objects(pipeline: Pipeline, prefix: str = "") -> Iterator[str]:
    pages = pipeline.s3.get_paginator("list_objects_v2").paginate(
        Bucket=pipeline.state.outputs["archive_bucket"], Prefix=prefix
    )
    for page in pages:
        yield from (entry["Key"] for entry in page.get("Contents", []))


def lines(pipeline: Pipeline, prefix: str) -> list[dict[str, Any]]:
    bucket = pipeline.state.outputs["archive_bucket"]
    return [
        {**json.loads(line), "_key": key}
        for key in objects(pipeline, prefix)
        for line in archive_objects.lines(archive_objects.read(pipeline.s3, bucket, key))
    ]


def archived(pipeline: Pipeline, body: str) -> dict[str, Any]:
    """The line of an event, when it has come."""

    def found() -> dict[str, Any] | None:
        mine = [line for line in lines(pipeline, "events/") if line["event_id"] == event_id(body)]
        return mine[0] if mine else None

    return eventually(found, within=OUTCOME_SECONDS, what="the event is archived")


def check(pipeline: Pipeline, wait: float = OUTCOME_SECONDS) -> ArchiveCheck:
    return archive.check(resources(pipeline), snapshot.collect(resources(pipeline)), wait=wait)


def missing(found: ArchiveCheck) -> set[str]:
    return {finding.name for finding in (*found.on_its_way, *found.discrepancies)}


@pytest.mark.parametrize("size", [10, 60_000, 500_000])
def test_an_event_is_archived_as_it_was_sent_wherever_its_payload_lies(pipeline: Pipeline, size: int) -> None:
    body = order("1234.50", metadata=random.Random(size).randbytes(size).hex())
    pipeline.send(body)
    line = archived(pipeline, body)
    assert line["event"] == json.loads(body)
    item = pipeline.item("table_name", event_id(body)) or {}
    assert line["content_hash"] == item["content_hash"]["S"]
    day, hour = item["received_at"]["S"][:10], item["received_at"]["S"][11:13]
    assert line["_key"].startswith(f"events/type=order/dt={day}/hour={hour}/")


def test_a_rejected_event_is_archived_with_its_reasons(pipeline: Pipeline) -> None:
    (message_id,) = pipeline.send('{"event_type": "order"}')
    (line,) = eventually(
        lambda: [line for line in lines(pipeline, "rejected/") if line["message_id"] == message_id],
        within=OUTCOME_SECONDS,
        what="the rejected event is archived",
    )
    assert line["body"] == '{"event_type": "order"}'
    assert "required" in {reason["rule"] for reason in line["reasons"]}


def test_a_record_that_cannot_be_read_is_kept_aside_and_holds_up_nothing(pipeline: Pipeline) -> None:
    foreign = {"event_id": {"S": "foreign-1"}, "note": {"S": "written by hand"}}
    table = pipeline.state.outputs["table_name"]
    pipeline.dynamodb.put_item(TableName=table, Item=foreign)
    try:
        body = activity()
        pipeline.send(body)
        archived(pipeline, body)
        images = [line["image"] for line in lines(pipeline, "unreadable/")]
        assert foreign in images
        assert check(pipeline).unreadable >= 1
        assert "foreign-1" not in missing(check(pipeline))
    finally:
        pipeline.dynamodb.delete_item(TableName=table, Key={"event_id": foreign["event_id"]})


def test_what_is_missing_is_found_and_archived_again(pipeline: Pipeline) -> None:
    body = activity()
    (rejected,) = pipeline.send("not an event")
    pipeline.send(body)
    archived(pipeline, body)
    assert missing(check(pipeline)) == set()
    # As if all had been lost: whatever else is in the stack is brought back, too.
    for key in [*objects(pipeline, "events/"), *objects(pipeline, "rejected/")]:
        pipeline.s3.delete_object(Bucket=pipeline.state.outputs["archive_bucket"], Key=key)
    assert missing(check(pipeline, wait=0)) >= {event_id(body), rejected}

    rehearsed = ops(pipeline, "rearchive", SINCE="1d", DRY_RUN="1")
    assert rehearsed.returncode == 0, rehearsed.stderr
    assert "Would write" in rehearsed.stdout
    assert not list(objects(pipeline, "events/"))

    done = ops(pipeline, "rearchive", SINCE="1d")
    assert done.returncode == 0, done.stderr
    assert rehearsed.stdout.split()[2] == done.stdout.split()[1]
    assert missing(check(pipeline)) == set()
    assert archived(pipeline, body)["event"] == json.loads(body)


def test_verify_holds_the_archive_against_the_tables(pipeline: Pipeline) -> None:
    pipeline.send(activity())
    pipeline.drain()
    done = ops(pipeline, "verify", MANIFEST="none", JSON="1")
    verdict = json.loads(done.stdout)
    assert verdict["archive"]["events"] >= verdict["stored"] > 0
    assert verdict["archive"]["on_its_way"] == 0


def test_an_event_that_somebody_has_deleted_is_noted_and_no_finding(pipeline: Pipeline) -> None:
    body = activity()
    pipeline.send(body)
    archived(pipeline, body)
    pipeline.dynamodb.delete_item(
        TableName=pipeline.state.outputs["table_name"], Key={"event_id": {"S": event_id(body)}}
    )
    found = check(pipeline)
    assert event_id(body) in {finding.name for finding in found.not_stored}
    assert missing(found) == set()
