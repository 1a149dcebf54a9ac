"""Today's code reads all that release 1.0.0 stored, whatever today's contract thinks of it."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from base64 import b64decode
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import contract
from archiver.lines import event_line, rejected_line
from processor.messages import Message
from producer import manifest
from storage.payload import decode_payload
from tests.unit.processor.conftest import Harness, record
from tools.analytics.database import open_archive
from tools.analytics.named_queries import named_queries
from tools.core.paths import ROOT
from tools.ops.inspect import events as inspect_events
from tools.ops.verify.snapshot import Duplicate, Rejected, Stored

DATA = ROOT / "tests" / "data" / "v1"
NOW = datetime(2026, 11, 22, 14, 4, tzinfo=UTC)
MESSAGES: dict[str, str] = json.loads((DATA / "messages.json").read_text("utf-8"))
_FILE = json.loads((DATA / "tables.json").read_text("utf-8"))
TABLES: dict[str, list[dict[str, Any]]] = _FILE["tables"]
OBJECTS = {key: b64decode(data) for key, data in _FILE["payload_objects"].items()}


def binary(item: dict[str, Any]) -> dict[str, Any]:
    """An item as DynamoDB's API returns it: its payload as bytes."""
    if "payload" not in item:
        return item
    return {**item, "payload": {"B": b64decode(item["payload"]["B"])}}


def kept() -> list[dict[str, Any]]:
    return [*TABLES["events"], *TABLES["rejected"]]


@pytest.mark.parametrize("item", kept(), ids=lambda item: item["message_id"]["S"][-2:])
def test_every_payload_comes_back_byte_for_byte(item: dict[str, Any]) -> None:
    body = decode_payload(binary(item), OBJECTS.__getitem__)
    assert body.decode() in MESSAGES.values()
    assert hashlib.sha256(body).hexdigest() == item["content_hash"]["S"]


@pytest.mark.parametrize("item", kept(), ids=lambda item: item["message_id"]["S"][-2:])
def test_every_item_still_becomes_the_line_that_was_archived_and_more(item: dict[str, Any]) -> None:
    archived = b"".join(gzip.decompress(path.read_bytes()) for path in DATA.glob("archive/*/*/*/*/*.gz"))
    make = rejected_line if "kind" in item else event_line
    line = make(item, OBJECTS.__getitem__).text
    more = line.index(b',"line_version":2'), line.index(b',"body":' if "kind" in item else b',"event":')
    assert line[: more[0]] + line[more[1] :] in archived


def test_a_copy_of_a_stored_event_is_a_duplicate_or_a_rejected_message_but_never_stuck() -> None:
    """A copy of each message comes with more white space, so that its hash differs."""
    harness = Harness()
    harness.dynamodb.tables["events"] = {i["event_id"]["S"]: binary(i) for i in TABLES["events"]}
    harness.s3.objects |= OBJECTS
    for name, body in MESSAGES.items():
        assert harness.deliver(record(body + " ", name)) == []
    assert len(harness.events) == len(TABLES["events"])
    assert len(harness.rejected) + len(harness.duplicates) == len(MESSAGES)
    duplicates = set(harness.duplicates)
    assert {"order", "large", "payment", "activity", "unicode", "claim-check", "copy"} <= duplicates
    assert {"deep", "digits", "duplicate-key", "leap", "fraction", "huge-amount", "conflict"} <= set(
        harness.rejected
    )


def test_a_copy_of_an_event_whose_payload_is_in_s3_leaves_its_object_readable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("storage.payload.ITEM_LIMIT", 0)
    harness = Harness()
    (item,) = [binary(item) for item in TABLES["events"] if "payload_key" in item]
    harness.dynamodb.tables["events"] = {item["event_id"]["S"]: item}
    harness.s3.objects |= OBJECTS
    body = decode_payload(item, OBJECTS.__getitem__)
    assert harness.deliver(record(body.decode(), "again")) == []
    assert "again" in harness.duplicates
    assert decode_payload(item, harness.s3.objects.__getitem__) == body


def test_another_event_under_the_id_of_a_deeply_nested_one_is_a_conflict() -> None:
    harness = Harness()
    harness.dynamodb.tables["events"] = {i["event_id"]["S"]: binary(i) for i in TABLES["events"]}
    for name in ("deep", "digits", "duplicate-key", "huge-amount"):
        body = json.loads(MESSAGES["activity"]) | {"event_id": f"v1-{name}"}
        assert harness.deliver(record(json.dumps(body), name)) == []
        assert harness.rejected[name]["kind"] == {"S": "event_id_conflict"}


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_a_message_that_waited_in_the_queue_is_valid_or_has_reasons(name: str) -> None:
    message = Message.read(record(MESSAGES[name], name), NOW)
    assert message.valid is not bool(message.violations)


def test_a_snapshot_is_taken_of_every_row() -> None:
    for item in TABLES["events"]:
        assert Stored.from_item(binary(item)).event_id == item["event_id"]["S"]
    for item in TABLES["rejected"]:
        assert Rejected.from_item(binary(item)).message_id == item["message_id"]["S"]
    for item in TABLES["duplicates"]:
        assert Duplicate.from_item(item).message_id == item["message_id"]["S"]


def test_a_manifest_is_read() -> None:
    path = DATA / "run-v1.jsonl"
    assert manifest.read_header(path).run_id == "v1"
    assert len(list(manifest.read_messages(path))) == 4
    assert len(manifest.read_run(path).messages) == 4


def test_every_archived_row_is_found_by_sql(tmp_path: Path) -> None:
    shutil.copytree(DATA / "archive", tmp_path / "archive")
    with open_archive(tmp_path / "archive") as database:
        ids = database.query("SELECT event_id, amount, occurred_at FROM events ORDER BY event_id").rows
        rejected = database.query("SELECT count(*) FROM rejected").rows
        for query in named_queries():
            database.query(query.sql)
    assert [row[0] for row in ids] == sorted(item["event_id"]["S"] for item in TABLES["events"])
    assert {row[0]: row[1] for row in ids}["v1-huge-amount"] == Decimal("9e33")
    assert rejected == [(len(TABLES["rejected"]),)]


def test_event_lines_are_shown_with_their_body() -> None:
    for item in TABLES["events"]:
        listed = {name: value for name, value in item.items() if name != "payload"}
        assert inspect_events.document(listed)


def test_two_bodies_are_compared_however_deep_one_of_them_is() -> None:
    assert not contract.same_json(MESSAGES["deep"], MESSAGES["activity"])
    assert contract.same_json(MESSAGES["payment"], MESSAGES["copy"])
