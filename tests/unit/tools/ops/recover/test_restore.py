"""A restored item is the one that was archived, and nothing that is there changes."""

from __future__ import annotations

import gzip
import json
import random
import string
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from archiver.batch import Batch
from archiver.buckets import Buckets
from aws_http.errors import AwsError
from common.deadline import CallLimits, Deadline
from contract import content_hash
from processor import items
from storage import keys
from storage.payload import add_payload, decode_payload
from tests import fakes as aws
from tests.old_data import VERSIONS, binary
from tests.unit.archiver import factories
from tests.unit.tools import fakes
from tools.core import archive_objects
from tools.core.archive_range import ArchiveRange
from tools.core.errors import ToolError
from tools.core.paths import ROOT
from tools.core.resources import Resources
from tools.ops.__main__ import main
from tools.ops.recover.archive_reader import Selection
from tools.ops.recover.restore import DOLLARS_PER_MILLION, KINDS, Restore
from tools.ops.recover.restore_writer import RestoreResult
from tools.ops.share import Share
from tools.ops.verify import commands as verify_commands

Item = dict[str, Any]
HOUR = ArchiveRange(datetime(2026, 11, 22, 14, tzinfo=UTC), datetime(2026, 11, 22, 15, tzinfo=UTC))
LATER = "2026-11-24T09:00:00.000Z"


class DynamoDB(fakes.FakeDynamoDB):
    """Tables that can be written under conditions, and fail as ``fault`` says."""

    def __init__(self) -> None:
        super().__init__()
        self._writes = aws.FakeDynamoDB()
        self._writes.tables = self.tables
        self.fault: Callable[[], None] = lambda: None
        self.written = 0

    def put_item(self, **request: Any) -> Any:
        return self._call("PutItem", request)

    def transact_write_items(self, **request: Any) -> Any:
        return self._call("TransactWriteItems", request)

    def _call(self, operation: str, request: dict[str, Any]) -> Any:
        self.fault()
        try:
            answer = self._writes.call(operation, request)
        except AwsError as error:
            raise aws.client_error(operation, error.code, error.status, **error.fields) from None
        self.written += len(request.get("TransactItems", [request]))
        return answer


class S3(fakes.FakeS3):
    """Both buckets."""

    def head_object(self, Bucket: str, Key: str) -> Any:  # noqa: N803
        if Key not in self.objects:
            raise aws.client_error("HeadObject", "404", 404)
        return {}

    def get_paginator(self, operation: str) -> Any:
        lister = super().get_paginator(operation)
        entry = {"Size": 1, "LastModified": datetime(2026, 11, 22, tzinfo=UTC)}

        def paginate(Prefix: str, Delimiter: str | None = None, **request: Any) -> Any:  # noqa: N803
            pages = [page for page in lister.paginate(Prefix=Prefix, **request) if page]
            found = [key["Key"] for page in pages for key in page["Contents"]]
            if Delimiter:
                ends = {key[: key.index("/", len(Prefix)) + 1] for key in found}
                return [{"CommonPrefixes": [{"Prefix": end} for end in ends]}]
            return [{"Contents": [{"Key": key, **entry}]} for key in found]

        return type("Pages", (), {"paginate": staticmethod(paginate)})


class Harness:
    """Tables, a copy of what was in them, and their archive."""

    def __init__(self) -> None:
        self.s3, self.dynamodb = S3(), DynamoDB()
        self.resources = fakes.pipeline(archive=True, s3=self.s3, dynamodb=self.dynamodb)
        self.records: list[Any] = []
        self.before: dict[str, dict[str, Item]] = {kind: {} for kind in self.dynamodb.tables}

    def event(self, body: str, **changes: Any) -> Item:
        read = factories.message(body)
        item = items.event_item(read, large_order=True, pending_alerts=["large_order"])
        return self._put("events", *self._with_payload(item, read, rejected=False), **changes)

    def rejected(self, body: str, **changes: Any) -> Item:
        read = factories.message(body)
        item = items.rejected_item(read, "invalid_event", read.violations, 36_500)
        return self._put("rejected", *self._with_payload(item, read, rejected=True), **changes)

    def duplicate(self, body: str, **changes: Any) -> Item:
        read = factories.message(body)
        return self._put("duplicates", items.duplicate_item(read, "0" * 64, 36_500), **changes)

    def _with_payload(self, item: Item, read: Any, *, rejected: bool) -> tuple[Item]:
        item, key = add_payload(item, read.payload, read.content_hash, rejected=rejected)
        if key is not None:
            self.s3.objects[key] = read.payload.data
        return (item,)

    def _put(self, table: str, item: Item, **changes: Any) -> Item:
        item = {**item, **changes}
        key = item[self.dynamodb.keys[table]]["S"]
        self.records.append(factories.record(item, table, len(self.records)))
        self.before[table][key] = {name: value for name, value in item.items() if name != "alert_pending"}
        return self.before[table][key]

    def archive(self) -> None:
        """Write all records to the archive."""
        writer = type("S3", (), {"put": lambda _, b, key, data, kind: self.s3.objects.update({key: data})})()
        writer.get = lambda bucket, key: self.s3.objects[key]
        buckets = Buckets(writer, "", "", Deadline(lambda: 60_000, CallLimits(1, 1)))
        Batch("events", "rejected", "duplicates", buckets).archive(self.records)

    def write_line(self, partition: str, *lines: bytes) -> None:
        """Write an object of these lines, as release 1.0.0 did."""
        name = f"{partition}/dt=2026-11-22/hour=14/{len(self.s3.objects)}.json.gz"
        self.s3.objects[name] = gzip.compress(b"".join(line + b"\n" for line in lines))

    def restore(self, selection: Selection = Selection(), **options: Any) -> RestoreResult:  # noqa: B008
        job = Restore(self.resources, selection, **options)
        job.estimate()
        return job.run(lambda done: None)

    def restored(self) -> dict[str, dict[str, Item]]:
        return self.dynamodb.tables


@pytest.fixture
def harness() -> Harness:
    return Harness()


def random_text(size: int) -> str:
    return "".join(random.Random(size).choices(string.printable[:94], k=size)).replace('"', "'")


def test_every_item_comes_back_as_it_was_without_its_pending_alert(harness: Harness) -> None:
    harness.event(order_of("a"))
    harness.event(json.dumps(json.loads(order_of("b")), indent=2).replace("\n", "\r\n"))
    harness.event(order_of("c", note="@@").replace("@@", r"\ud83d"))
    harness.event(order_of("d", note=random_text(3_000)))
    harness.event(order_of("e", note=random_text(900_000)))
    harness.event(order_of("f"), replayed={"BOOL": True}, claimed_origin_id={"S": "m"}, new={"B": b"\xff"})
    harness.rejected("not JSON \x7f\u2028\r\n é")
    harness.rejected("half a pair: \ud83d")
    harness.rejected("{" + random_text(900_000))
    harness.rejected("", summary={"S": "as release 1.0.0 wrote it"})
    harness.duplicate(order_of("a"))
    harness.archive()
    objects = dict(harness.s3.objects)
    result = harness.restore()
    assert harness.restored() == harness.before
    assert result.restored == {"events": 6, "rejected": 4, "duplicates": 1}
    assert not result.findings
    assert not result.lacks
    assert harness.s3.objects == objects


def order_of(event_id: str, **changes: Any) -> str:
    return factories.order(event_id=event_id, **changes)


def test_a_second_run_writes_nothing(harness: Harness) -> None:
    harness.event(order_of("a"))
    harness.rejected("{}")
    harness.archive()
    harness.restore()
    written = harness.dynamodb.written
    result = harness.restore()
    assert harness.dynamodb.written == written
    assert result.present == {"events": 1, "rejected": 1}
    assert not result.restored


def test_a_dry_run_only_counts(harness: Harness) -> None:
    harness.event(order_of("a", note=random_text(900_000)))
    harness.duplicate(order_of("a"))
    harness.archive()
    key = next(key for key in harness.s3.objects if key.startswith("payloads/"))
    del harness.s3.objects[key]
    result = harness.restore(dry_run=True)
    assert (result.restored, result.objects) == ({"events": 1, "duplicates": 1}, 1)
    assert harness.dynamodb.written == 0
    assert key not in harness.s3.objects


def test_an_item_with_other_content_is_a_conflict_and_stays(harness: Harness) -> None:
    harness.event(order_of("a"))
    harness.event(order_of("b"))
    harness.archive()
    other = {**harness.before["events"]["a"], "customer_id": {"S": "another"}}
    harness.dynamodb.tables["events"]["a"] = other
    result = harness.restore()
    assert harness.dynamodb.tables["events"]["a"] == other
    assert result.restored == {"events": 1}
    assert result.listed == ["conflict: a is in events with another customer_id"]


def test_an_item_whose_alert_is_pending_or_whose_payload_is_compressed_otherwise_is_equal(
    harness: Harness,
) -> None:
    body = order_of("a")
    item = harness.event(body)
    harness.archive()
    plain = {"payload": {"B": body.encode()}, "payload_encoding": {"S": "identity"}}
    harness.dynamodb.tables["events"]["a"] = {**item, **plain, "alert_pending": {"S": "large_order"}}
    assert harness.restore().present == {"events": 1}


def test_a_line_that_is_archived_twice_is_one_item(harness: Harness) -> None:
    item = harness.event(order_of("a"))
    harness.archive()
    harness.records = [factories.record(item, "events", 99)] * 3
    harness.archive()
    result = harness.restore()
    assert result.restored == {"events": 1}
    assert harness.restored()["events"] == {"a": item}


def test_a_rejected_event_that_was_replayed_stays_away(harness: Harness) -> None:
    stored = harness.rejected("{}")
    duplicate = harness.rejected("[]")
    harness.rejected("1")
    harness.event(order_of("a"), message_id=stored["message_id"], replayed={"BOOL": True})
    harness.duplicate(order_of("a"), message_id=duplicate["message_id"])
    harness.archive()
    result = harness.restore()
    assert result.replayed == 2
    assert result.restored == {"events": 1, "duplicates": 1, "rejected": 1}


def test_a_replay_after_the_range_counts_too(harness: Harness) -> None:
    stored, duplicate = harness.rejected("{}"), harness.rejected("[]")
    late = {"received_at": {"S": LATER}}
    harness.event(order_of("a"), message_id=stored["message_id"], replayed={"BOOL": True}, **late)
    harness.duplicate(order_of("a"), message_id=duplicate["message_id"], **late)
    harness.archive()
    result = harness.restore(Selection(HOUR))
    assert result.replayed == 2
    assert not result.restored


def test_a_replay_that_is_stored_and_not_archived_yet_counts_too(harness: Harness) -> None:
    rejected = harness.rejected('{"event_id": "a"}')
    harness.archive()
    harness.dynamodb.put("events", event_id={"S": "a"}, message_id=rejected["message_id"])
    assert harness.restore().replayed == 1


def test_what_has_expired_stays_away(harness: Harness) -> None:
    past = {"expires_at": {"N": str(int(time.time()) - 1)}}
    harness.rejected("{}", **past)
    harness.duplicate(order_of("a"), **past)
    harness.archive()
    result = harness.restore()
    assert (result.expired, result.restored) == (2, {})


def test_a_payload_that_is_gone_is_written_again(harness: Harness) -> None:
    body = order_of("a", note=random_text(900_000))
    harness.event(body)
    harness.archive()
    key = next(key for key in harness.s3.objects if key.startswith("payloads/"))
    del harness.s3.objects[key]
    assert harness.restore().objects == 1
    item = harness.restored()["events"]["a"]
    assert decode_payload(item, harness.s3.objects.__getitem__) == body.encode()


def test_a_payload_of_an_event_that_is_there_is_written_again(harness: Harness) -> None:
    body = order_of("a", note=random_text(900_000))
    item = harness.event(body)
    harness.archive()
    harness.restore()
    data = harness.s3.objects.pop(item["payload_key"]["S"])
    assert harness.restore().objects == 1
    assert harness.s3.objects[item["payload_key"]["S"]] == data
    harness.dynamodb.tables["events"]["a"] = {**item, "payload_encoding": {"S": "zlib"}}
    del harness.s3.objects[item["payload_key"]["S"]]
    result = harness.restore()
    assert (result.objects, result.findings) == (0, {"payload": 1})


@pytest.mark.parametrize(
    ("selection", "restored"),
    [
        (Selection(customer="cus-1"), {"a", "m-a", "rejected"}),
        (Selection(customer="cus-9"), set()),
        (Selection(event_type="order"), {"a", "b", "m-a", "m-b"}),
        (Selection(event_type="payment"), set()),
        (Selection(event_id="b"), {"b", "m-b"}),
        (Selection(HOUR), {"a", "m-a", "rejected", "m-b"}),
        (Selection(HOUR, customer="cus-2"), set()),
    ],
)
def test_a_selection_restores_nothing_else(
    harness: Harness, selection: Selection, restored: set[str]
) -> None:
    harness.event(order_of("a"))
    harness.event(order_of("b", customer_id="cus-2"), received_at={"S": LATER})
    harness.rejected('{"customer_id": "cus-1"}', message_id={"S": "rejected"})
    harness.duplicate(order_of("a"), message_id={"S": "m-a"})
    harness.duplicate(order_of("b"), message_id={"S": "m-b"})
    harness.archive()
    harness.restore(selection)
    assert {key for table in harness.restored().values() for key in table} == restored


def test_parts_restore_everything_once_and_all_rows_of_an_event_together(harness: Harness) -> None:
    for number in range(20):
        harness.event(order_of(f"e-{number}"))
        harness.duplicate(order_of(f"e-{number}"), message_id={"S": f"copy-{number}"})
        harness.rejected(f'{{"event_id": "e-{number}"}}', message_id={"S": f"rejected-{number}"})
    harness.rejected("not JSON", message_id={"S": "none"})
    harness.archive()
    harness.write_line("events/type=order", b"damaged")
    results = []
    for number in (3, 1, 2):
        results.append(harness.restore(Selection(share=Share(number, 3))))
        events, rejected, copies = (
            {key.rpartition("-")[2] for key in harness.restored()[table] if "-" in key}
            for table in ("events", "rejected", "duplicates")
        )
        assert events == rejected == copies
    assert harness.restored() == harness.before
    assert [sum(result.restored.values()) > 5 for result in results] == [True] * 3
    assert sum(result.restored.total() for result in results) == 61
    assert [result.present.total() for result in results] == [0] * 3
    assert sum(result.findings["damaged"] for result in results) == 1


def test_an_item_that_the_archiver_could_not_read_comes_back_as_it_was(harness: Harness) -> None:
    foreign = {"event_id": {"S": "foreign"}, "blob": {"B": "/w=="}, "set": {"NS": ["1"]}}
    harness.records.append(factories.record(foreign, "events", 1))
    harness.archive()
    assert harness.restore().restored == {"events": 1}
    assert harness.restored()["events"]["foreign"] == {**foreign, "blob": {"B": b"\xff"}}


@pytest.mark.parametrize("selection", [Selection(customer="cus-1"), Selection(HOUR, customer="cus-1")])
def test_a_duplicate_that_was_written_by_hand_stops_no_selection(
    harness: Harness, selection: Selection
) -> None:
    harness.event(order_of("a"))
    harness.duplicate(order_of("a"), message_id={"S": "m-a"})
    for number, event_id in enumerate(({"N": "1"}, {"S": ""}, {"S": "x" * 3000}, {"NULL": True})):
        by_hand = {"message_id": {"S": f"hand-{number}"}, "event_id": event_id}
        by_hand["received_at"] = {
            "S": "0001-01-01T00:00:00+14:00" if number % 2 else "2026-11-22T14:30:00.000Z"
        }
        harness.records.append(factories.record(by_hand, "duplicates", 10 + number))
    harness.archive()
    assert harness.restore(selection).restored == {"events": 1, "duplicates": 1}


GOOD = b'{"event_id":"%s","event_type":"order","content_hash":"%s"}'
HOSTILE: list[bytes] = [
    b"", b"{}", b"[]", b"null", b"\xff", b"{" * 100_000, b'{"event_id":1,"event":{}}', b'{"body":""}',
    b'{"event_id":"\\ud800","line_version":2,"event":{}}', b'{"line_version":9,"event":{}}',
    b'{"other_attributes":"[","event":{}}', b'{"message_id":"m","body":1}', b'{"image":{"event_id":1}}',
    b'{"table":"events","image":{"event_id":{"S":""}}}', b'{"table":"x","image":{"event_id":{"S":"e"}}}',
    b'{"table":"events","image":{"event_id":{"S":"%s"}}}' % (b"x" * 3000),
    b'{"table":"events","image":{"event_id":{"S":"e"},"n":{"L":{"L":[]}}}}',
    b'{"table":"rejected","image":{"message_id":{"S":"m"},"n":{"B":"%"}}}',
    b'{"table":"events","image":{"event_id":{"S":"e"},"n":{"SS":"ab"}}}',
    b'{"table":"events","image":{"event_id":{"S":"e"},"n":{"M":{"m":{"BOOL":"true"}}}}}',
    b'{"table":"events","image":{"event_id":{"S":"e"},"n":{"new":"1"}}}',
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_lines_are_findings_and_hide_no_other(harness: Harness, kind: str) -> None:
    item = harness.event(order_of("a"))
    harness.archive()
    partition = {"events": "events/type=order", "rejected": "rejected/kind=invalid_event"}.get(kind, kind)
    harness.write_line(partition, *HOSTILE)
    harness.s3.objects[f"{partition}/dt=2026-11-22/hour=14/no-gzip.json.gz"] = b"no gzip"
    result = harness.restore()
    assert harness.restored()["events"] == {"a": item}
    assert result.findings["damaged"] == len(HOSTILE) + 1
    assert len(result.listed) == min(20, len(HOSTILE) + 1)


def test_a_body_that_is_not_the_one_that_was_sent_is_damaged(harness: Harness) -> None:
    harness.event(order_of("a"))
    harness.archive()
    (key,) = (key for key in harness.s3.objects if key.startswith("events/"))
    line = b"".join(archive_objects.lines(harness.s3.objects.pop(key)))
    harness.write_line("events/type=order", line.replace(b'"ord-1"', b'"ord-2"'))
    result = harness.restore()
    assert "content hash differs" in result.listed[0]
    assert not result.restored


def test_an_item_that_dynamodb_refuses_is_a_finding_and_stops_no_other(harness: Harness) -> None:
    for name in ("a", "b", "c"):
        harness.event(order_of(name))
    harness.archive()
    put, transact = harness.dynamodb.put_item, harness.dynamodb.transact_write_items

    def refuse(requests: list[dict[str, Any]]) -> None:
        if any(request["Item"]["event_id"]["S"] == "b" for request in requests):
            raise aws.client_error("PutItem", "ValidationException")

    def put_item(**request: Any) -> Any:
        refuse([request])
        return put(**request)

    def transact_write_items(**request: Any) -> Any:
        refuse([action["Put"] for action in request["TransactItems"]])
        return transact(**request)

    harness.dynamodb.put_item = put_item  # type: ignore[method-assign]
    harness.dynamodb.transact_write_items = transact_write_items  # type: ignore[method-assign]
    result = harness.restore()
    assert result.restored == {"events": 2}
    assert result.findings == {"refused": 1}


def test_throttled_writes_are_tried_again_until_dynamodb_accepts_them(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    for number in range(300):
        harness.event(order_of(f"e-{number}"))
    harness.archive()
    chance = random.Random(1)

    def fault() -> None:
        if chance.random() < 0.3:
            raise aws.client_error("PutItem", "ThrottlingException")

    harness.dynamodb.fault = fault
    assert harness.restore().restored == {"events": 300}
    assert harness.restored()["events"] == harness.before["events"]


def test_a_dynamodb_that_is_down_ends_the_command_with_what_to_type(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    harness.event(order_of("a"))
    harness.archive()

    def fault() -> None:
        raise aws.client_error("PutItem", "InternalServerError", 500)

    harness.dynamodb.fault = fault
    with pytest.raises(ToolError, match="1 items could not be written") as stopped:
        harness.restore()
    assert "same command again" in stopped.value.hint


def test_a_rate_limits_the_items_of_a_second(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    for number in range(50):
        harness.event(order_of(f"e-{number}"))
    harness.archive()
    assert harness.restore(rate=20).restored == {"events": 50}
    assert max(slept) == pytest.approx(49 / 20, abs=0.3)


VERSION_1 = VERSIONS[0]


class TestLinesOfRelease1:
    """Lines without a version are restored as far as they go."""

    @pytest.fixture
    def harness(self, monkeypatch: pytest.MonkeyPatch) -> Harness:
        harness = Harness()
        monkeypatch.setattr(time, "time", lambda: datetime(2026, 11, 24, tzinfo=UTC).timestamp())
        for path in VERSION_1.data.glob("archive/*/*/*/*/*.gz"):
            harness.s3.objects[str(path.relative_to(VERSION_1.data / "archive"))] = path.read_bytes()
        harness.s3.objects |= VERSION_1.objects
        return harness

    def tables(self) -> dict[str, dict[str, Item]]:
        return {
            table: {item[key]["S"]: binary(item) for item in VERSION_1.tables[table]}
            for table, key in (("events", "event_id"), ("rejected", "message_id"))
        }

    def test_they_give_the_item_but_what_they_lack(self, harness: Harness) -> None:
        result = harness.restore()
        lacking = {
            *("claimed_origin_id", "summary", "alert_pending"),
            *("payload", "payload_encoding", "payload_key"),
        }
        for table, expected in self.tables().items():
            restored = harness.restored()[table]
            assert set(restored) == set(expected)
            for key, item in expected.items():
                assert without(restored[key], lacking) == without(item, lacking)
                body = decode_payload(restored[key], harness.s3.objects.__getitem__)
                assert body == decode_payload(item, VERSION_1.objects.__getitem__)
        assert set(result.lacks) == {
            "the time at which it expires",
            "an origin that the sender claimed",
        } | ({"the exact bytes of the body"} & set(result.lacks))
        assert not result.findings

    def test_a_payload_that_another_compressor_wrote_stays_and_is_read(
        self, harness: Harness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("storage.payload.ITEM_LIMIT", 0)
        (key,) = VERSION_1.objects
        harness.restore()
        assert harness.s3.objects[key] == VERSION_1.objects[key]
        for item in harness.restored()["events"].values():
            body = decode_payload(item, harness.s3.objects.__getitem__)
            assert len(body) == int(item["payload_bytes"]["N"])

    def test_what_is_still_there_is_no_conflict(self, harness: Harness) -> None:
        harness.dynamodb.tables.update(self.tables())
        result = harness.restore()
        assert not result.restored
        assert not result.findings


def without(item: Mapping[str, Any], names: set[str]) -> Item:
    kept = {name: value for name, value in item.items() if name not in names}
    return {name: {"SS": set(value["SS"])} if "SS" in value else value for name, value in kept.items()}


def test_a_body_of_release_1_that_was_changed_is_restored_and_said(harness: Harness) -> None:
    body = order_of("a")
    item = harness.event(body)
    visible = {"event_id": "a", "event_type": "order", "content_hash": content_hash(body + "\n")}
    for name in ("customer_id", "occurred_at", "received_at", "processed_at", "schema_version", "message_id"):
        visible[name] = item[name]["S"]
    head = json.dumps({**visible, "ingest_latency_ms": 1, "payload_bytes": 2, "large_order": True})[:-1]
    harness.write_line("events/type=order", f'{head},"event":{body}}}'.encode())
    result = harness.restore()
    assert result.lacks["the exact bytes of the body"] == 1
    restored = harness.restored()["events"]["a"]
    assert decode_payload(restored, harness.s3.objects.__getitem__) == body.encode()
    assert restored["large_bucket"]["S"] in keys.shard_keys(keys.LARGE_ORDERS)


def test_the_estimate_is_that_of_an_empty_table(harness: Harness) -> None:
    for number in range(20):
        harness.event(order_of(f"e-{number}"))
    harness.duplicate(order_of("e-1"))
    harness.archive()
    estimate = Restore(harness.resources, Selection()).estimate()
    assert (estimate.objects, estimate.items) == (2, 21)
    # 1 KB in a transaction, by_customer, by_type and large_orders; a duplicate has no index.
    assert estimate.units == 20 * (2 + 3) + 2


def test_objects_that_are_written_meanwhile_are_not_read(harness: Harness) -> None:
    harness.event(order_of("a"))
    harness.archive()
    job = Restore(harness.resources, Selection())
    job.estimate()
    job._newest = datetime(2026, 11, 21, tzinfo=UTC)
    assert not job.run(lambda done: None).restored


class TestCommand:
    """`make restore`."""

    @pytest.fixture
    def harness(self, harness: Harness, monkeypatch: pytest.MonkeyPatch) -> Harness:
        harness.event(order_of("a"))
        harness.archive()
        monkeypatch.setattr(Resources, "find", lambda *_: harness.resources)
        return harness

    def test_it_says_the_cost_and_asks(
        self, harness: Harness, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("builtins.input", lambda question: "n")
        assert main(["restore"]) == 1
        assert "about 5 write units, $0.0000 on AWS" in capsys.readouterr().err
        assert not harness.restored()["events"]
        assert main(["restore", "--auto-approve", "1"]) == 0
        assert "Restored 1 item" in capsys.readouterr().out
        assert harness.restored() == harness.before

    def test_json_is_one_document_and_the_cost_goes_to_standard_error(
        self, harness: Harness, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for arguments in (["--dry-run"], ["--auto-approve"]):
            assert main(["restore", "--json", *arguments]) == 0
            printed = capsys.readouterr()
            restored = json.loads(printed.out)
            assert restored["restored"] == {"events": 1}
            assert restored["dry_run"] == (arguments == ["--dry-run"])
            assert "write units" in printed.err

    def test_a_conflict_is_its_exit_status(self, harness: Harness) -> None:
        harness.dynamodb.put("events", event_id={"S": "a"})
        assert main(["restore", "--auto-approve", "1"]) == 1

    @pytest.mark.parametrize(
        "arguments", [["--since", "soon"], ["--until", "1970-01-01"], ["--type", "ordr"]]
    )
    def test_wrong_arguments_are_refused_before_anything_is_read(
        self, harness: Harness, arguments: list[str]
    ) -> None:
        harness.resources.clients.clear()
        assert main(["restore", *arguments]) != 0

    def test_ctrl_c_says_how_to_continue(
        self, harness: Harness, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        def interrupt(*_: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(Restore, "_chunks", interrupt)
        assert main(["restore", "--auto-approve", "1"]) == 130
        assert "Type the same command again" in capsys.readouterr().err


def test_the_prices_are_those_of_the_cost_model() -> None:
    prices = json.loads((ROOT / "tools/benchmarks/cost/prices.json").read_text("utf-8"))["prices"]
    assert prices["dynamodb_million_writes"]["usd"] == DOLLARS_PER_MILLION
    assert prices["dynamodb_million_reads"]["usd"] == verify_commands.DOLLARS_PER_MILLION
