"""A mix of everything that a pipeline stores, a way to lose it, and the comparison with what was there."""

from __future__ import annotations

import json
import random
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.session

from archiver.lines import DUPLICATES, EVENTS, REJECTED
from producer.manifest import SentRun, read_run
from producer.options import Options
from producer.run import produce
from storage.payload import decode_payload
from tests.integration.conftest import OUTCOME_SECONDS, Pipeline
from tests.integration.running_ops import resources
from tests.waiting import eventually
from tools.ops import rejections
from tools.ops.recover import replay
from tools.ops.recover.archive_reader import ArchiveReader

Item = dict[str, Any]
# The keys of the tables, by the name of their output, and the archive's names of them.
TABLES = {
    "table_name": "event_id",
    "rejected_table_name": "message_id",
    "duplicates_table_name": "message_id",
}
_KINDS = (EVENTS, REJECTED, DUPLICATES)
_RATIOS: dict[str, Any] = {"invalid_ratio": 0.05, "large_ratio": 0.1, "duplicate_ratio": 0.05}
# An event may be 5 minutes in the future.
_AHEAD = timedelta(minutes=5)


def activity(event_id: str, occurred_at: datetime | None = None, **more: Any) -> str:
    """The body of a valid event."""
    event = {
        "event_id": event_id,
        "event_type": "activity",
        "occurred_at": (occurred_at or datetime.now(UTC)).isoformat(),
        "customer_id": "restored",
        "session_id": "s",
        "action": "search",
    }
    return json.dumps(event | more)


def send_mix(pipeline: Pipeline, count: int) -> SentRun:
    """Send a run of the producer, then claim checks, conflicts, bodies that are no text, and a replay.

    Returns the run, of which every event is stored, rejected or a duplicate.
    """
    session = botocore.session.Session()
    session.set_config_variable("region", resources(pipeline).region)
    session.set_credentials(*(resources(pipeline).credentials or ("", "")))
    directory = pipeline.state_dir / "manifests"
    directory.mkdir(exist_ok=True)
    done = produce(
        Options(queue_url=pipeline.queue_url, count=count, manifest=directory, **_RATIOS), session=session
    )
    assert done.complete, done.error
    assert done.manifest is not None
    names = [f"restore-{uuid.uuid4()}" for _ in range(8)]
    for name in names[:3]:
        pipeline.send(activity(name, noise=random.Random(name).randbytes(450_000).hex()))
    for name in names[3:6]:
        pipeline.send(json.dumps(json.loads(activity(name)), indent=2))
    # A busy machine with proxies has processed 20 events a second.
    pipeline.drain(within=OUTCOME_SECONDS + count / 10)
    pipeline.send(*(activity(name, other=True) for name in names[:6]), r'{"half": "\ud83d"}')
    pipeline.send("not JSON\r\n" + random.Random(count).randbytes(450_000).hex())
    _replay(pipeline, names[6])
    pipeline.drain()
    return read_run(Path(done.manifest))


def _replay(pipeline: Pipeline, event_id: str) -> None:
    """Have an event rejected, because it is a second too far in the future, and replayed after that."""
    early = datetime.now(UTC)
    (message_id,) = pipeline.send(activity(event_id, early + _AHEAD + timedelta(seconds=2)))
    pipeline.awaited("rejected_table_name", message_id)
    eventually(lambda: datetime.now(UTC) > early + timedelta(seconds=3), within=10, what="it is in time")
    result = replay.replay(
        resources(pipeline), rejections.find(resources(pipeline), any_id=message_id), lambda sent: None
    )
    assert result.sent == [message_id]
    pipeline.awaited("table_name", event_id)
    eventually(
        lambda: pipeline.item("rejected_table_name", message_id) is None,
        within=OUTCOME_SECONDS,
        what="the replayed event is no longer rejected",
    )


def contents(pipeline: Pipeline) -> dict[str, dict[str, Item]]:
    """Every item by table and key, with the body in place of its payload and without a pending alert."""
    found: dict[str, dict[str, Item]] = {}
    for table, key in TABLES.items():
        pages = pipeline.dynamodb.get_paginator("scan").paginate(
            TableName=pipeline.state.outputs[table], ConsistentRead=True
        )
        found[table] = {item[key]["S"]: _plain(pipeline, item) for page in pages for item in page["Items"]}
    return found


def _plain(pipeline: Pipeline, item: Item) -> Item:
    if "payload_encoding" in item:
        item = {**item, "payload": decode_payload(item, _fetch(pipeline))}
    return {
        name: set(value["SS"]) if isinstance(value, dict) and "SS" in value else value
        for name, value in item.items()
        if name != "alert_pending"
    }


def _fetch(pipeline: Pipeline) -> Any:
    bucket = pipeline.state.outputs["payload_bucket"]
    return lambda key: pipeline.s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def lose_everything(pipeline: Pipeline) -> None:
    """Delete every row of the three tables, and one payload."""
    for table, key in TABLES.items():
        name = pipeline.state.outputs[table]
        keys = list(contents(pipeline)[table])
        for start in range(0, len(keys), 25):
            requests = [{"DeleteRequest": {"Key": {key: {"S": each}}}} for each in keys[start : start + 25]]
            pipeline.dynamodb.batch_write_item(RequestItems={name: requests})
        assert pipeline.count(table) == 0
    bucket = pipeline.state.outputs["payload_bucket"]
    payload = pipeline.s3.list_objects_v2(Bucket=bucket)["Contents"][0]["Key"]
    pipeline.s3.delete_object(Bucket=bucket, Key=payload)


def wait_until_archived(pipeline: Pipeline) -> None:
    """Wait until the archive has every row."""
    reader = ArchiveReader(resources(pipeline), {}, 90)
    now = contents(pipeline)
    rows = {(kind, key) for kind, table in zip(_KINDS, TABLES, strict=True) for key in now[table]}

    def archived() -> set[tuple[str, str]]:
        return {
            (kind, item.key)
            for kind in _KINDS
            for each in reader.objects(kind, None)
            for item in reader.items(kind, each["Key"], [])
        }

    eventually(lambda: rows <= archived(), within=OUTCOME_SECONDS, what="every row is archived")
