"""No item can end the archiver or a reader of the tables, and none hides what is wrong with another."""

from __future__ import annotations

import json
import random
import zlib
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from contract import content_hash
from processor.items import event_item, rejected_item
from processor.messages import Message
from storage.payload import MAX_BODY_BYTES, add_payload
from tests import fuzz
from tests.unit.archiver import factories
from tests.unit.archiver.test_batch import S3 as StreamS3  # noqa: N811
from tests.unit.archiver.test_batch import batch as stream_batch
from tests.unit.tools.fakes import FakeDynamoDB, FakeS3, FakeSQS, pipeline
from tools.core import archive_objects, queues
from tools.core.resources import Resources
from tools.ops.__main__ import main
from tools.ops.verify import verify
from tools.ops.verify.integrity import UNREADABLE

GOOD = factories.order(event_id="good")
BOMB = zlib.compress(b"\0" * (MAX_BODY_BYTES + 1), 9)
DIGITS, DEPTH = "9" * 5000, "[" * 5000 + "]" * 5000
VALUES: list[dict[str, Any]] = [
    {"S": ""}, {"S": "\x1b[2J\x00\u2028\u202e"}, {"S": "\ud800"}, {"S": "x" * 70_000}, {"S": "order"},
    {"S": "invalid_event"}, {"S": "2026-11-22T14:30:00.000Z"}, {"S": "identity"}, {"S": "zlib"},
    {"N": "1E+125"}, {"N": "-1.5"}, {"N": "9" * 38}, {"B": b"\xff\x00"}, {"B": BOMB}, {"B": b""},
    {"B": DEPTH.encode()}, {"B": DIGITS.encode()}, {"BOOL": True}, {"NULL": True}, {"SS": ["a", "\x1b"]},
    {"NS": ["1"]}, {"BS": [b"\xff"]}, {"L": []}, {"L": [{"S": "a"}, {"L": [{"N": "1"}]}]},
    {"L": [{"M": {"path": {"N": "1"}, "rule": {"S": "\x1b"}}}] * 500}, {"M": {}},
    {"M": {"S": {"B": b"\xff"}, "\ud800": {"S": "\n"}}}, {"S": "payloads/" + "x" * 2000},
    {"S": "payloads/\x00"}, {"S": "../x"}, {"S": "payloads/bomb"}, {"S": "0" * 64},
]  # fmt: skip
# A key of a table or of an index can only have the type that it was declared with.
KEYS = {"event_id", "message_id", "type_bucket", "bucket", "received_at", "rejected_at", "customer_id"}


def _item(body: str, message_id: str, *, valid: bool) -> dict[str, dict[str, Any]]:
    record = {
        "messageId": message_id,
        "body": body,
        "attributes": {"SentTimestamp": str(factories.SENT_MILLIS)},
    }
    message = Message.read(record, factories.NOW)
    item = (
        event_item(message, large_order=False)
        if valid
        else rejected_item(message, "invalid_event", message.violations, 90)
    )
    whole = add_payload(item, message.payload, message.content_hash, rejected=not valid)[0]
    return {name: value for name, value in whole.items() if name != "alert_pending"}


class Harness:
    """A pipeline with one good event, one good rejection, and hostile items beside them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dynamodb, self.s3 = FakeDynamoDB(), FakeS3()
        self.resources = pipeline(
            endpoint="http://127.0.0.1:1", archive=True, sqs=FakeSQS(), dynamodb=self.dynamodb, s3=self.s3
        )
        self.s3.objects["payloads/bomb"] = BOMB
        self.dynamodb.tables["events"]["good"] = _item(GOOD, "m-good", valid=True)
        self.dynamodb.tables["rejected"]["m-bad"] = _item("{", "m-bad", valid=False)
        monkeypatch.setattr(queues, "peek", lambda resources, url: None)
        monkeypatch.setattr(Resources, "find", lambda: self.resources)

    def put(self, table: str, changes: dict[str, dict[str, Any] | None]) -> str:
        """Put an item beside the good ones: one as the processor writes it, but for these changes."""
        name = f"hostile-{table}-{len(self.dynamodb.tables[table])}"
        whole = _item(GOOD, name, valid=True) if table != "rejected" else _item("{", name, valid=False)
        key = FakeDynamoDB.keys[table]
        item = {**whole, **changes, key: {"S": name}}
        self.dynamodb.tables[table][name] = {k: value for k, value in item.items() if value is not None}
        return name

    def _archive_stream(self) -> None:
        """Run the archiver with the records of all items, as a stream has them."""
        s3 = StreamS3()
        s3.objects = {("payloads", key): data for key, data in self.s3.objects.items()}
        records = [
            factories.record(
                json.loads(json.dumps(item, default=lambda raw: b64encode(raw).decode())), table, n
            )
            for table in ("events", "rejected")
            for n, item in enumerate(self.dynamodb.tables[table].values())
        ]
        stream_batch(s3).archive(records)
        archived = [data for (bucket, _), data in s3.objects.items() if bucket == "archive"]
        assert sum(len(list(archive_objects.lines(data))) for data in archived) == len(records)

    def read_everything(self, *names: str) -> dict[str, str]:
        """Run every reader. Returns what verify found, by the name of the item."""
        self._archive_stream()
        since = ("--since", "2026-11-22T14:00", "--until", "2026-11-22T15:00")
        assert main(["rearchive", *since]) in (0, 1)
        for arguments in (
            ["rejected"],
            ["events"],
            ["events", "--json"],
            ["get", "--event-id", "good"],
            ["trace", "--event-id", "good", *since],
        ):
            assert main(arguments) == 0, arguments
        for name in names:
            assert main(["get", "--event-id", name]) in (0, 1)
            assert main(["rejected", "--id", name]) in (0, 1)
            assert main(["trace", "--event-id", name, *since]) in (0, 1)
            assert main(["trace", "--message-id", name, *since]) in (0, 1)
        assert main(["replay", "--dry-run"]) in (0, 1)
        assert main(["verify", "--wait", "0", "--all", "--manifest", "none", "--json"]) in (0, 1)
        result = verify.verify(self.resources, (), wait=0, everything=True)
        found: dict[str, str] = {}
        for each in result.discrepancies:
            found[each.name] = f"{found.get(each.name, '')}{each.kind}: {each.what}\n"
        return found


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch) -> Harness:
    return Harness(monkeypatch)


@pytest.mark.parametrize("table", ["events", "rejected", "duplicates"])
def test_an_item_without_any_attribute_is_a_finding_with_its_key(harness: Harness, table: str) -> None:
    key = FakeDynamoDB.keys[table]
    harness.dynamodb.tables[table]["hand-made"] = {key: {"S": "hand-made"}}
    found = harness.read_everything("hand-made")
    assert found["hand-made"].startswith(UNREADABLE)
    assert not {"good", "m-bad"} & set(found)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"payload": {"B": BOMB}, "payload_encoding": {"S": "zlib"}}, "more than 2,097,152 bytes"),
        ({"payload": None, "payload_key": {"S": "payloads/bomb"}, "payload_encoding": {"S": "zlib"}}, "more"),
        ({"payload": {"S": "text"}}, "not binary"),
        ({"payload": None, "payload_key": {"S": "payloads/" + "x" * 2000}}, "payload_key"),
        ({"payload": None, "payload_key": {"S": "../../etc"}}, "payload_key"),
        ({"payload_encoding": {"L": []}}, "unknown payload encoding"),
    ],
)
def test_a_damaged_payload_is_a_finding_with_its_key(
    harness: Harness, changes: dict[str, dict[str, Any] | None], reason: str
) -> None:
    name = harness.put("events", changes)
    found = harness.read_everything(name)
    assert reason in found[name]
    assert "good" not in found


@pytest.mark.parametrize("body", [DIGITS, DEPTH])
def test_a_body_that_release_1_accepted_is_read(harness: Harness, body: str) -> None:
    event = GOOD.replace('"good"', '"old"')[:-1] + f', "more": {body}}}'
    item = {**_item(GOOD, "m-old", valid=True), "event_id": {"S": "old"}}
    digest = content_hash(event)
    item |= {
        "payload": {"B": event.encode()},
        "payload_encoding": {"S": "identity"},
        "content_hash": {"S": digest},
    }
    harness.dynamodb.tables["events"]["old"] = item
    assert harness.read_everything("old") == {}


@pytest.mark.fuzz
def test_no_random_item_ends_a_command_or_hides_a_good_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in fuzz.seeds(25):
        with fuzz.case(seed) as numbers:
            harness = Harness(monkeypatch)
            names = [_put_random(harness, numbers) for _ in range(numbers.randint(1, 4))]
            found = harness.read_everything(*names)
            # A hostile duplicate may name the good event, and is a finding under that name.
            about = [line for name in ("good", "m-bad") for line in found.get(name, "").splitlines()]
            assert [line for line in about if "hostile-" not in line] == []


def _put_random(harness: Harness, numbers: random.Random) -> str:
    table = numbers.choice(["events", "rejected", "duplicates"])
    changes: dict[str, dict[str, Any] | None] = {}
    names = sorted({*_item(GOOD, "m", valid=True), *_item("{", "m", valid=False), "payload_key"})
    for name in numbers.sample(names, numbers.randint(1, 6)):
        value = _random_value(numbers)
        if name not in KEYS or "S" in value:
            changes[name] = value if name in KEYS or numbers.random() < 0.8 else None
    return harness.put(table, changes)


def _random_value(numbers: random.Random) -> dict[str, Any]:
    makers: list[Callable[[], dict[str, Any]]] = [
        lambda: numbers.choice(VALUES),
        lambda: {"S": fuzz.text(numbers)},
        lambda: {"B": numbers.randbytes(numbers.randint(0, 200))},
        lambda: {"B": zlib.compress(numbers.randbytes(50))[: numbers.randint(1, 60)]},
    ]
    return numbers.choice(makers)()
