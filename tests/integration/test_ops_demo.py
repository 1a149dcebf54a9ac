"""`make demo` and `make verify` on a stack that other tests share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from producer.manifest import read_messages
from tests.integration.conftest import Pipeline
from tests.integration.running_ops import ops, resources
from tools.ops.verify import manifest


@pytest.fixture(scope="module")
def demonstrated(pipeline: Pipeline) -> str:
    """Return the output of a demo of 300 events."""
    result = ops(pipeline, "demo", COUNT="300")
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_a_demo_accounts_for_every_event(demonstrated: str) -> None:
    lines = [line.split() for line in demonstrated.splitlines()]
    assert ["total", "300", "of", "300", "sent"] in lines
    for row in (["duplicates", "15"], ["rejected", "15"], ["dead-lettered", "0"]):
        assert row in lines
    assert "Every event is accounted for." in demonstrated


def test_a_demo_leaves_no_queue_and_no_subscription_behind(pipeline: Pipeline, demonstrated: str) -> None:
    assert not [url for url in pipeline.sqs.list_queues()["QueueUrls"] if "-demo-" in url]
    sns = pipeline.state.client("sns")
    endpoints = [entry["Endpoint"] for entry in sns.list_subscriptions()["Subscriptions"]]
    assert not [endpoint for endpoint in endpoints if "-demo-" in endpoint]


def test_verify_accounts_for_the_latest_run(pipeline: Pipeline, demonstrated: str) -> None:
    result = ops(pipeline, "verify", MANIFEST="latest", JSON="1")
    document = json.loads(result.stdout)
    assert document["findings"] == []
    assert result.returncode == 0
    run = document["run"]
    assert run | {"sent": 300, "stored": 270, "duplicate": 15, "rejected": 15} == run
    assert (document["scope"], document["bodies_checked"]) == ("run", None)
    whole = json.loads(ops(pipeline, "verify", ALL="1", JSON="1").stdout)
    assert whole["bodies_checked"] == whole["stored"] + whole["rejected"] >= 285


def test_verify_finds_a_deleted_event(pipeline: Pipeline, demonstrated: str) -> None:
    with _without(pipeline, _some_stored_event(pipeline)) as event_id:
        result = ops(pipeline, "verify")
    assert result.returncode == 1
    assert f"lost: {event_id}: message" in result.stdout
    assert "1 discrepancy: the accounting invariant is violated" in result.stdout
    assert ops(pipeline, "verify").returncode == 0


def test_verify_finds_a_changed_body(pipeline: Pipeline, demonstrated: str) -> None:
    item = _some_stored_event(pipeline)
    changed = {**item, "payload": {"B": b"{}"}, "payload_encoding": {"S": "identity"}}
    table = pipeline.state.outputs["table_name"]
    pipeline.dynamodb.put_item(TableName=table, Item=changed)
    try:
        result = ops(pipeline, "verify", ALL="1")
    finally:
        pipeline.dynamodb.put_item(TableName=table, Item=item)
    assert result.returncode == 1
    assert f"unreadable: {item['event_id']['S']}" in result.stdout


def test_verify_finds_a_message_counted_twice(pipeline: Pipeline, demonstrated: str) -> None:
    item = _some_stored_event(pipeline)
    table = pipeline.state.outputs["duplicates_table_name"]
    row = {name: item[name] for name in ("message_id", "event_id", "content_hash")}
    pipeline.dynamodb.put_item(TableName=table, Item=row)
    try:
        # The row has no line in the archive, which verify would wait for.
        result = ops(pipeline, "verify", WAIT="2")
    finally:
        pipeline.dynamodb.delete_item(TableName=table, Key={"message_id": item["message_id"]})
    assert result.returncode == 1
    assert f"doubled: {item['event_id']['S']}" in result.stdout


def _some_stored_event(pipeline: Pipeline) -> dict[str, Any]:
    """Return an event of the demo that was sent once."""
    path = manifest.find(resources(pipeline), "latest")
    assert path is not None
    lines = list(read_messages(path))
    copied = {line["content_hash"] for line in lines if line["expect"] == "duplicate"}
    single = next(line for line in lines if line["expect"] == "stored" and line["content_hash"] not in copied)
    item = pipeline.item("table_name", single["event_id"])
    assert item is not None
    return item


@contextmanager
def _without(pipeline: Pipeline, item: dict[str, Any]) -> Iterator[str]:
    table = pipeline.state.outputs["table_name"]
    pipeline.dynamodb.delete_item(TableName=table, Key={"event_id": item["event_id"]})
    try:
        yield item["event_id"]["S"]
    finally:
        pipeline.dynamodb.put_item(TableName=table, Item=item)
