from __future__ import annotations

import zlib
from typing import Any

from tests.unit.tools.ops.builders import digest, duplicate, evidence, rejected, stored, waiting
from tests.unit.tools.ops.fakes import FakeDynamoDB, FakeS3, pipeline
from tools.ops.verify import integrity
from tools.ops.verify.integrity import DANGLING, UNREADABLE, check, check_bodies, unconfirmed_alerts
from tools.ops.verify.reconcile import DOUBLED


def test_a_healthy_pipeline_has_no_findings() -> None:
    found = evidence(
        stored=[stored("1", "a"), stored("2", "b", payload_key="payloads/b")],
        duplicates=[duplicate("3", "a")],
        rejected=[rejected("4", "c")],
        objects=frozenset({"payloads/b"}),
    )
    assert check(found) == []


def test_a_message_in_two_tables_is_doubled() -> None:
    found = evidence(stored=[stored("1", "a")], rejected=[rejected("1", "a")])
    assert [finding.kind for finding in check(found)] == [DOUBLED]


def test_a_replayed_message_that_its_own_redelivery_will_finish_is_not_doubled() -> None:
    found = evidence(
        stored=[stored("1", "a")], rejected=[rejected("1", "a")], dead_lettered=[waiting("1", "a")]
    )
    assert check(found) == []


def test_a_duplicate_of_nothing_dangles() -> None:
    assert [finding.kind for finding in check(evidence(duplicates=[duplicate("1", "a")]))] == [DANGLING]


def test_a_duplicate_of_other_content_than_is_stored_dangles() -> None:
    found = evidence(stored=[stored("1", "a")], duplicates=[duplicate("2", "a", stored_hash=digest("b"))])
    assert [finding.kind for finding in check(found)] == [DANGLING]


def test_a_claim_check_without_its_object_is_unreadable() -> None:
    found = evidence(rejected=[rejected("1", "a", payload_key="payloads/gone")])
    assert [finding.kind for finding in check(found)] == [UNREADABLE]


def test_an_owed_alert_is_reported_once_nothing_is_left_to_bring_it() -> None:
    owing = [stored("1", "a", alert_pending=True)]
    assert len(unconfirmed_alerts(evidence(stored=owing))) == 1
    assert unconfirmed_alerts(evidence(stored=owing, still=False)) == []
    assert unconfirmed_alerts(evidence(stored=owing, dead_lettered=[waiting("1", "a")])) == []


def _item(body: bytes, **payload: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {"content_hash": {"S": digest(body.decode())}, "payload_encoding": {"S": "identity"}, **payload}


def test_every_body_is_unpacked_and_hashed_wherever_it_lies() -> None:
    dynamodb, s3 = FakeDynamoDB(), FakeS3()
    for number in range(5):
        body = f"inline-{number}".encode()
        dynamodb.put("events", event_id={"S": str(number)}, **_item(body, payload={"B": body}))
    packed = _item(b"packed", payload={"B": zlib.compress(b"packed")})
    dynamodb.put("rejected", message_id={"S": "1"}, **{**packed, "payload_encoding": {"S": "zlib"}})
    s3.objects["payloads/k"] = b"in s3"
    dynamodb.put("rejected", message_id={"S": "2"}, **_item(b"in s3", payload_key={"S": "payloads/k"}))
    result = check_bodies(pipeline(dynamodb=dynamodb, s3=s3))
    assert result.checked == 7
    assert result.findings == []


def test_a_changed_a_damaged_and_a_missing_body_are_found() -> None:
    dynamodb = FakeDynamoDB()
    dynamodb.put("events", event_id={"S": "changed"}, **_item(b"a", payload={"B": b"b"}))
    damaged = _item(b"a", payload={"B": b"no zlib"})
    dynamodb.put("events", event_id={"S": "damaged"}, **{**damaged, "payload_encoding": {"S": "zlib"}})
    dynamodb.put("events", event_id={"S": "missing"}, **_item(b"a", payload_key={"S": "payloads/gone"}))
    result = check_bodies(pipeline(dynamodb=dynamodb, s3=FakeS3()))
    assert sorted(finding.name for finding in result.findings) == ["changed", "damaged", "missing"]


def test_bodies_are_measured_as_they_were_sent() -> None:
    found = evidence(stored=[stored("1", "a", body_bytes=5)], rejected=[rejected("2", "b", body_bytes=7)])
    assert integrity.body_bytes(found) == 12
