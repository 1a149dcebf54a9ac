from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.tools.ops.builders import duplicate, evidence, rejected, sent, stored, waiting
from tests.unit.tools.ops.fakes import DLQ, FakeDynamoDB, FakeS3, FakeSQS, pipeline
from tools.core.resources import Resources
from tools.ops.verify import report, verify
from tools.ops.verify.manifest import Manifest, Sent
from tools.ops.verify.snapshot import Snapshot


def _manifest(*copies: Sent) -> Manifest:
    return Manifest("r1", "http://x/events", copies, failed=0, complete=True)


def _printed(capsys: pytest.CaptureFixture[str], found: Snapshot, manifest: Manifest | None = None) -> str:
    report.show(verify.judge(found, manifest))
    return capsys.readouterr().out


def test_a_run_without_loss_holds(capsys: pytest.CaptureFixture[str]) -> None:
    found = evidence(stored=[stored("1", "a")], duplicates=[duplicate("2", "a")])
    printed = _printed(capsys, found, _manifest(sent("1", "a"), sent("2", "a", "duplicate")))
    assert "2 sent = 1 stored + 1 duplicate + 0 rejected + 0 dead-lettered + 0 queued" in printed
    assert "nothing lost, nothing twice" in printed


def test_content_that_was_not_compared_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    found = evidence(stored=[stored("1", "a")], bodies_kept=False)
    printed = _printed(capsys, found, _manifest(sent("1", "a, as it was sent")))
    assert "content not compared: this LocalStack rewrites bodies" in printed
    assert "nothing lost, nothing twice" in printed
    assert json.loads(report.as_json(verify.judge(found)))["content_compared"] is False
    assert json.loads(report.as_json(verify.judge(evidence())))["content_compared"] is True


def test_a_loss_is_named_and_breaks_the_law(capsys: pytest.CaptureFixture[str]) -> None:
    verdict = verify.judge(evidence(), _manifest(sent("m-1", "evt-1")))
    assert not verdict.holds
    printed = _printed(capsys, evidence(), _manifest(sent("m-1", "evt-1")))
    assert "lost: evt-1: message m-1 is nowhere" in printed
    assert "1 finding: the conservation law is broken" in printed


def test_what_may_be_among_messages_that_cannot_be_looked_at_is_undecided() -> None:
    manifest = _manifest(sent("1", "a"), sent("2", "b"))
    assert verify.judge(evidence(unseen=2, still=False), manifest).undecided
    assert not verify.judge(evidence(unseen=1, still=False), manifest).undecided


def test_only_the_first_twenty_findings_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    run = _manifest(*(sent(f"m-{number}", f"evt-{number}") for number in range(33)))
    printed = _printed(capsys, evidence(), run)
    assert printed.count("is nowhere") == 20
    assert "and 13 more" in printed


def test_one_fault_seen_from_both_sides_is_one_finding() -> None:
    found = evidence(stored=[stored("1", "a")], rejected=[rejected("1", "a")])
    verdict = verify.judge(found, _manifest(sent("1", "a")))
    assert len(verdict.findings) == 1


def test_notes_explain_what_is_odd_and_fine(capsys: pytest.CaptureFixture[str]) -> None:
    found = evidence(
        stored=[stored("1", "a"), stored("2", "b", replayed=True), stored("3", "c", alert_pending=True)],
        duplicates=[duplicate("renamed", "a")],
    )
    run = _manifest(sent("1", "a"), sent("2", "b", "rejected"), sent("3", "c"))
    printed = _printed(capsys, found, run)
    assert "1 copy re-counted after a redrive" in printed
    assert "1 were expected to be rejected and were replayed since" in printed
    assert "1 item still marked as owing an alert" in printed
    assert "nothing lost, nothing twice" in printed


def test_the_json_says_the_same_for_programs() -> None:
    found = evidence(stored=[stored("1", "a")], dead_lettered=[waiting("2", "b")], unseen=3)
    document = json.loads(report.as_json(verify.judge(found, _manifest(sent("1", "a"), sent("2", "b")))))
    assert document["holds"] is True
    assert (document["stored"], document["dead_lettered"], document["queued"]) == (1, 1, 3)
    assert document["run"] | {"stored": 1, "dead_lettered": 1, "lost": 0} == document["run"]


def _table(dynamodb: FakeDynamoDB) -> None:
    dynamodb.put(
        "events",
        event_id={"S": "evt-1"},
        event_type={"S": "order"},
        content_hash={"S": stored("1", "a").content_hash},
        message_id={"S": "1"},
        large_order={"BOOL": True},
        alert_pending={"S": "large_order"},
        payload_key={"S": "payloads/a"},
        payload_bytes={"N": "1"},
        payload_encoding={"S": "identity"},
    )
    dynamodb.put("duplicates", message_id={"S": "2"}, event_id={"S": "evt-1"}, content_hash={"S": "h"})
    reason = {"M": {"path": {"S": "$"}, "rule": {"S": "json"}, "reason": {"S": "not JSON"}}}
    dynamodb.put("rejected", message_id={"S": "3"}, kind={"S": "invalid_event"}, reasons={"L": [reason]})


def test_the_picture_holds_what_the_tables_and_queues_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    sqs, dynamodb, s3 = FakeSQS(), FakeDynamoDB(), FakeS3()
    _table(dynamodb)
    s3.objects["payloads/a"] = b"a"
    sqs.put(DLQ, "dead")
    found = verify.observe(_on_emulator(monkeypatch, sqs=sqs, dynamodb=dynamodb, s3=s3), (), wait=0)
    (event,) = found.stored
    assert (event.large_order, event.alert_pending, event.replayed, event.body_bytes) == (
        True,
        True,
        False,
        1,
    )
    assert found.duplicates[0].stored_hash == "h"
    assert found.rejected[0].rule == "json"
    assert len(found.dead_lettered) == 1
    assert found.objects == {"payloads/a"}
    assert found.still


def test_few_bodies_are_checked_unasked_and_many_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    dynamodb, s3 = FakeDynamoDB(), FakeS3()
    _table(dynamodb)
    del dynamodb.tables["rejected"]["3"]
    s3.objects["payloads/a"] = b"a"
    resources = _on_emulator(monkeypatch, sqs=FakeSQS(), dynamodb=dynamodb, s3=s3)
    few = verify.verify(resources, None, wait=0)
    assert few.bodies is not None
    assert few.bodies.checked == 1
    dynamodb.tables["events"]["evt-1"]["payload_bytes"] = {"N": str(65 * 1024 * 1024)}
    assert verify.verify(resources, None, wait=0).bodies is None
    assert verify.verify(resources, None, wait=0, deep=True).bodies is not None


def _on_emulator(monkeypatch: pytest.MonkeyPatch, **clients: Any) -> Resources:
    # An endpoint that has no way to peek: the queues are read by receiving, as on AWS.
    monkeypatch.setattr("tools.core.queues.peek", lambda resources, url: None)
    return pipeline(endpoint="http://127.0.0.1:1", **clients)
