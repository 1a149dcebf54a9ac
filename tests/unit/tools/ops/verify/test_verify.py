from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from producer.manifest import SentMessage, SentRun
from tests.unit.tools.fakes import FakeDynamoDB, FakeS3, FakeSQS, pipeline
from tests.unit.tools.ops.factories import (
    digest,
    duplicate,
    evaluate,
    queued,
    rejected,
    sent,
    snapshot,
    stored,
)
from tools.core.resources import Resources
from tools.ops.verify import report, verify
from tools.ops.verify.snapshot import Snapshot


def _run(*copies: SentMessage) -> SentRun:
    return SentRun("r1", "http://x/events", copies, failed=0, complete=True)


def _printed(capsys: pytest.CaptureFixture[str], contents: Snapshot, run: SentRun | None = None) -> str:
    report.show(evaluate(contents, run))
    return capsys.readouterr().out


def test_a_run_without_loss_is_ok(capsys: pytest.CaptureFixture[str]) -> None:
    contents = snapshot(stored=[stored("1", "a")], duplicates=[duplicate("2", "a")])
    printed = _printed(capsys, contents, _run(sent("1", "a"), sent("2", "a", "duplicate")))
    assert "2 sent = 1 stored + 1 duplicate + 0 rejected + 0 dead-lettered + 0 queued" in printed
    assert "nothing is lost, nothing is counted twice" in printed


def test_the_report_says_if_content_was_not_compared(capsys: pytest.CaptureFixture[str]) -> None:
    contents = snapshot(stored=[stored("1", "a")], bodies_kept=False)
    printed = _printed(capsys, contents, _run(sent("1", "a, as it was sent")))
    assert "content not compared: this LocalStack rewrites bodies" in printed
    assert "nothing is lost, nothing is counted twice" in printed
    assert report.document(evaluate(contents))["content_compared"] is False
    assert report.document(evaluate(snapshot()))["content_compared"] is True


def test_a_lost_message_is_named_and_violates_the_invariant(capsys: pytest.CaptureFixture[str]) -> None:
    result = evaluate(snapshot(), _run(sent("m-1", "evt-1")))
    assert not result.ok
    printed = _printed(capsys, snapshot(), _run(sent("m-1", "evt-1")))
    assert "lost: evt-1: message m-1 was not found" in printed
    assert "1 discrepancy: the accounting invariant is violated" in printed


def test_missing_messages_that_may_be_among_unreadable_ones_are_undecided() -> None:
    manifest = _run(sent("1", "a"), sent("2", "b"))
    assert evaluate(snapshot(unseen=2, still=False), manifest).is_undecided
    assert not evaluate(snapshot(unseen=1), manifest).is_undecided


def test_a_discrepancy_while_messages_move_is_undecided(capsys: pytest.CaptureFixture[str]) -> None:
    contents = snapshot(duplicates=[duplicate("1", "a")], still=False)
    result = evaluate(contents)
    assert (result.ok, result.is_undecided) == (False, True)
    assert "Undecided: messages moved" in _printed(capsys, contents)
    assert report.document(result)["undecided"] is True
    assert not evaluate(replace(contents, still=True)).is_undecided


def test_a_damaged_item_is_a_violation_although_messages_move() -> None:
    result = evaluate(snapshot(unreadable=(("e", "its item has no content_hash"),), still=False))
    assert (result.ok, result.is_undecided) == (False, False)


def test_a_run_that_is_still_sending_is_neither_interrupted_nor_redriven(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = replace(_run(sent("1", "a"), sent("2", "b")), running=True, complete=False)
    # The producer has sent these copies and not yet recorded them.
    contents = snapshot(stored=[stored("1", "a")], duplicates=[duplicate("new", "a"), duplicate("2", "b")])
    printed = _printed(capsys, contents, run)
    assert "The producer is still sending" in printed
    for words in ("interrupted", "other message ids", "violated"):
        assert words not in printed
    result = evaluate(contents, run)
    assert result.is_undecided
    assert report.document(result)["run"]["recounted"] == 0
    assert not evaluate(contents, replace(run, running=False)).is_undecided


class _Arriving(FakeDynamoDB):
    """Tables into which an event and its duplicate arrive before or after a table is read."""

    def __init__(self, table: str) -> None:
        super().__init__()
        self._table = table
        self.reads = 0

    def scan(self, TableName: str, **request: Any) -> Any:  # noqa: N803
        answer = super().scan(TableName, **request)
        if TableName == self._table:
            self.reads += 1
            names = (f"e-{self.reads}", f"m-{self.reads}")
            common = {"event_id": {"S": names[0]}, "content_hash": {"S": digest("a")}}
            body: dict[str, Any] = {"payload": {"B": b"a"}, "payload_encoding": {"S": "identity"}}
            self.put("events", message_id={"S": names[1]}, event_type={"S": "order"}, **common, **body)
            self.put("duplicates", message_id={"S": f"{names[1]}-copy"}, **common)
        return answer


@pytest.mark.parametrize("table", ["events", "rejected", "duplicates"])
def test_a_pair_that_arrives_while_the_tables_are_read_is_no_violation(
    monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    resources = _on_emulator(monkeypatch, sqs=FakeSQS(), dynamodb=_Arriving(table), s3=FakeS3())
    for _ in range(3):
        assert verify.verify(resources, (), wait=0, everything=True).ok


def test_a_discrepancy_is_a_violation_only_if_nothing_has_changed_since(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dynamodb = _Arriving("events")
    dynamodb.put("duplicates", message_id={"S": "d"}, event_id={"S": "late"}, content_hash={"S": "h"})
    result = verify.verify(
        _on_emulator(monkeypatch, sqs=FakeSQS(), dynamodb=dynamodb, s3=FakeS3()), (), wait=0, everything=True
    )
    assert (result.ok, result.is_undecided) == (False, True)
    still = FakeDynamoDB()
    still.tables = dynamodb.tables
    result = verify.verify(
        _on_emulator(monkeypatch, sqs=FakeSQS(), dynamodb=still, s3=FakeS3()), (), wait=0, everything=True
    )
    assert (result.ok, result.is_undecided) == (False, False)


def test_only_the_first_twenty_discrepancies_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    run = _run(*(sent(f"m-{number}", f"evt-{number}") for number in range(33)))
    printed = _printed(capsys, snapshot(), run)
    assert printed.count("was not found") == 20
    assert "and 13 more" in printed


def test_a_discrepancy_that_two_checks_find_is_reported_once() -> None:
    contents = snapshot(stored=[stored("1", "a")], rejected=[rejected("1", "a")])
    result = evaluate(contents, _run(sent("1", "a")))
    assert len(result.discrepancies) == 1


def test_notes_explain_recounted_replayed_and_pending_messages(capsys: pytest.CaptureFixture[str]) -> None:
    contents = snapshot(
        stored=[stored("1", "a"), stored("2", "b", replayed=True), stored("3", "c", alert_pending=True)],
        duplicates=[duplicate("renamed", "a")],
    )
    run = _run(sent("1", "a"), sent("2", "b", "rejected"), sent("3", "c"))
    printed = _printed(capsys, contents, run)
    assert "1 copy of its events under other message ids, after a redrive" in printed
    assert "1 were expected to be rejected and were replayed since" in printed
    assert "1 item with an alert still pending" in printed
    assert "nothing is lost, nothing is counted twice" in printed


def test_the_json_document_has_the_same_counts() -> None:
    contents = snapshot(stored=[stored("1", "a")], dead_lettered=[queued("2", "b")], unseen=3)
    document = report.document(evaluate(contents, _run(sent("1", "a"), sent("2", "b"))))
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
    dynamodb.put(
        "rejected",
        message_id={"S": "3"},
        kind={"S": "invalid_event"},
        content_hash={"S": "h3"},
        reasons={"L": [reason]},
    )


def _on_emulator(monkeypatch: pytest.MonkeyPatch, **clients: Any) -> Resources:
    # This endpoint cannot list messages: the queues are read by receiving, as on AWS.
    monkeypatch.setattr("tools.core.queues.peek", lambda resources, url: None)
    return pipeline(endpoint="http://127.0.0.1:1", **clients)
