from __future__ import annotations

import zlib
from typing import Any

from tests.unit.tools.fakes import FakeDynamoDB, FakeS3, pipeline
from tests.unit.tools.ops.factories import digest, duplicate, evaluate, queued, rejected, snapshot, stored
from tools.ops import payloads
from tools.ops.verify.integrity import (
    DANGLING,
    UNREADABLE,
    BodyCheck,
    check,
    check_bodies,
    unconfirmed_alerts,
)
from tools.ops.verify.reconcile import DOUBLED


def test_a_healthy_pipeline_has_no_discrepancies() -> None:
    contents = snapshot(
        stored=[stored("1", "a"), stored("2", "b", payload_key="payloads/b")],
        duplicates=[duplicate("3", "a")],
        rejected=[rejected("4", "c")],
        objects=frozenset({"payloads/b"}),
    )
    assert check(contents) == []


def test_a_message_in_two_tables_is_doubled() -> None:
    contents = snapshot(stored=[stored("1", "a")], rejected=[rejected("1", "a")])
    assert [discrepancy.kind for discrepancy in check(contents)] == [DOUBLED]


def test_a_message_in_two_tables_with_a_queued_redelivery_is_not_doubled() -> None:
    contents = snapshot(
        stored=[stored("1", "a")], rejected=[rejected("1", "a")], dead_lettered=[queued("1", "a")]
    )
    assert check(contents) == []


def test_a_duplicate_without_an_original_dangles() -> None:
    assert [discrepancy.kind for discrepancy in check(snapshot(duplicates=[duplicate("1", "a")]))] == [
        DANGLING
    ]


def test_a_duplicate_of_other_content_than_is_stored_dangles() -> None:
    contents = snapshot(stored=[stored("1", "a")], duplicates=[duplicate("2", "a", stored_hash=digest("b"))])
    assert [discrepancy.kind for discrepancy in check(contents)] == [DANGLING]


def test_a_claim_check_without_its_object_is_unreadable() -> None:
    contents = snapshot(rejected=[rejected("1", "a", payload_key="payloads/gone")])
    assert [discrepancy.kind for discrepancy in check(contents)] == [UNREADABLE]


def test_a_pending_alert_is_reported_if_no_message_would_publish_it() -> None:
    owing = [stored("1", "a", alert_pending=True)]
    assert len(unconfirmed_alerts(snapshot(stored=owing))) == 1
    assert evaluate(snapshot(stored=owing, still=False)).unconfirmed_alerts == []
    assert unconfirmed_alerts(snapshot(stored=owing, dead_lettered=[queued("1", "a")])) == []


def _item(body: bytes, **payload: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {"content_hash": {"S": digest(body.decode())}, "payload_encoding": {"S": "identity"}, **payload}


def _check_all(dynamodb: FakeDynamoDB, s3: FakeS3) -> BodyCheck:
    fetch = payloads.fetcher(pipeline(s3=s3))
    return sum(
        (
            check_bodies(dynamodb.keys[name], list(dynamodb.tables[name].values()), fetch)
            for name in dynamodb.keys
        ),
        BodyCheck(),
    )


def test_bodies_in_items_and_in_s3_are_decoded_and_hashed() -> None:
    dynamodb, s3 = FakeDynamoDB(), FakeS3()
    dynamodb.put("events", event_id={"S": "1"}, **_item(b"inline", payload={"B": b"inline"}))
    packed = _item(b"packed", payload={"B": zlib.compress(b"packed")})
    dynamodb.put("rejected", message_id={"S": "1"}, **{**packed, "payload_encoding": {"S": "zlib"}})
    s3.objects["payloads/k"] = b"in s3"
    dynamodb.put("rejected", message_id={"S": "2"}, **_item(b"in s3", payload_key={"S": "payloads/k"}))
    assert _check_all(dynamodb, s3) == BodyCheck(3, [])


def test_a_changed_a_damaged_and_a_missing_body_are_found() -> None:
    dynamodb = FakeDynamoDB()
    dynamodb.put("events", event_id={"S": "changed"}, **_item(b"a", payload={"B": b"b"}))
    damaged = _item(b"a", payload={"B": b"no zlib"})
    dynamodb.put("events", event_id={"S": "damaged"}, **{**damaged, "payload_encoding": {"S": "zlib"}})
    dynamodb.put("events", event_id={"S": "missing"}, **_item(b"a", payload_key={"S": "payloads/gone"}))
    found = _check_all(dynamodb, FakeS3()).discrepancies
    assert [discrepancy.name for discrepancy in found] == ["changed", "damaged", "missing"]
