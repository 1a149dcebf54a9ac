"""Today's code reads all that earlier versions stored, whatever today's contract thinks of it."""

from __future__ import annotations

import hashlib
import json
import shutil
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
from tests.old_data import VERSIONS, Version, binary
from tests.schemas import check_line
from tests.unit.processor.conftest import Harness, record
from tools.analytics.database import open_archive
from tools.analytics.named_queries import named_queries
from tools.deploy.receipt import Receipt
from tools.ops.inspect import events as inspect_events
from tools.ops.rejections import Rejection, reasons_of
from tools.ops.verify import archive
from tools.ops.verify.snapshot import Duplicate, Rejected, Stored

NOW = datetime(2026, 11, 22, 14, 4, tzinfo=UTC)


EACH = pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
V1 = VERSIONS[0]
MESSAGES, TABLES, OBJECTS = V1.messages, V1.tables, V1.objects
ITEMS = [(version, item) for version in VERSIONS for item in version.kept]
EACH_ITEM = pytest.mark.parametrize(
    ("version", "item"),
    ITEMS,
    ids=[f"{version.name}-{item['message_id']['S'][-2:]}" for version, item in ITEMS],
)


@EACH_ITEM
def test_every_payload_comes_back_byte_for_byte(version: Version, item: dict[str, Any]) -> None:
    body = decode_payload(binary(item), version.objects.__getitem__)
    assert body.decode() in version.messages.values()
    assert hashlib.sha256(body).hexdigest() == item["content_hash"]["S"]


@EACH_ITEM
def test_every_item_still_becomes_the_line_that_was_archived_and_more(
    version: Version, item: dict[str, Any]
) -> None:
    archived = b"".join(line for _, line in version.lines())
    make = rejected_line if "kind" in item else event_line
    line = make(item, version.objects.__getitem__).text
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


def test_another_event_under_the_id_of_a_deeply_nested_one_is_a_conflict() -> None:
    harness = Harness()
    harness.dynamodb.tables["events"] = {i["event_id"]["S"]: binary(i) for i in TABLES["events"]}
    for name in ("deep", "digits", "duplicate-key", "huge-amount"):
        body = json.loads(MESSAGES["activity"]) | {"event_id": f"v1-{name}"}
        assert harness.deliver(record(json.dumps(body), name)) == []
        assert harness.rejected[name]["kind"] == {"S": "event_id_conflict"}


@EACH
def test_a_message_that_waited_in_the_queue_is_valid_or_has_reasons(version: Version) -> None:
    for name, body in version.messages.items():
        message = Message.read(record(body, name), NOW)
        assert message.valid is not bool(message.violations)


@EACH
def test_a_snapshot_is_taken_of_every_row(version: Version) -> None:
    for item in version.tables["events"]:
        assert Stored.from_item(binary(item)).event_id == item["event_id"]["S"]
    for item in version.tables["rejected"]:
        assert Rejected.from_item(binary(item)).message_id == item["message_id"]["S"]
    for item in version.tables["duplicates"]:
        assert Duplicate.from_item(item).message_id == item["message_id"]["S"]


@EACH
def test_a_manifest_is_read(version: Version) -> None:
    path = version.data / f"run-{version.name}.jsonl"
    assert manifest.read_header(path).run_id == version.name
    assert len(list(manifest.read_messages(path))) == 4
    assert len(manifest.read_run(path).messages) == 4


@EACH
def test_a_receipt_is_read(version: Version) -> None:
    assert Receipt.load(version.data / "receipt.json").described()[0].startswith("tested")


@EACH
def test_every_archived_row_is_found_by_sql(version: Version, tmp_path: Path) -> None:
    shutil.copytree(version.data / "archive", tmp_path / "archive")
    with open_archive(tmp_path / "archive") as database:
        rows = database.query("SELECT event_id, amount, occurred_at FROM events ORDER BY event_id").rows
        rejected = database.query("SELECT count(*) FROM rejected").rows
        for query in named_queries():
            database.query(query.sql)
    assert [row[0] for row in rows] == sorted(item["event_id"]["S"] for item in version.tables["events"])
    amounts = {
        item["event_id"]["S"]: item["amount"]["N"] for item in version.tables["events"] if "amount" in item
    }
    assert {row[0]: row[1] for row in rows if row[1] is not None} == {
        event_id: Decimal(amount) for event_id, amount in amounts.items()
    }
    assert rejected == [(len(version.tables["rejected"]),)]


@EACH
def test_the_tables_and_the_archive_of_a_version_agree(version: Version) -> None:
    lines = version.lines()
    for prefix, line in lines:
        if len(line) < 4000:  # Python 3.11 reads no integer of 5,000 digits
            check_line(prefix, line)
    keys = {archive._PARSERS[prefix](line)[0] for prefix, line in lines}
    assert keys == {item["message_id" if "kind" in item else "event_id"]["S"] for item in version.kept}


@EACH
def test_rejected_rows_are_listed_with_their_reasons(version: Version) -> None:
    for item in version.tables["rejected"]:
        assert Rejection.from_item(binary(item)).summary
        assert reasons_of(item)


@EACH
def test_event_lines_are_shown_with_their_body(version: Version) -> None:
    for item in version.tables["events"]:
        listed = {name: value for name, value in item.items() if name != "payload"}
        assert inspect_events.document(listed)


def test_two_bodies_are_compared_however_deep_one_of_them_is() -> None:
    assert not contract.same_json(MESSAGES["deep"], MESSAGES["activity"])
    assert contract.same_json(MESSAGES["payment"], MESSAGES["copy"])
