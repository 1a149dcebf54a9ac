"""verify asks for the rows of a run, and reads all rows only if it must."""

from __future__ import annotations

import json
import random
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from producer.manifest import SentMessage, SentRun
from tests.unit.tools.fakes import DLQ, FakeDynamoDB, FakeS3, FakeSQS, pipeline
from tests.unit.tools.ops.factories import digest, sent
from tools.core import queues
from tools.core.errors import UsageError
from tools.core.resources import Resources
from tools.ops.__main__ import main
from tools.ops.share import Share
from tools.ops.verify import commands, lookup, verify
from tools.ops.verify.manifest import ManifestParts
from tools.ops.verify.result import VerifyResult


class CountingDynamoDB(FakeDynamoDB):
    """Tables that record the scanned tables and the number of keys asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.scanned: list[str] = []
        self.asked = 0

    def scan(self, TableName: str, **request: Any) -> Any:  # noqa: N803
        self.scanned.append(TableName)
        return super().scan(TableName, **request)

    def batch_get_item(self, RequestItems: dict[str, Any]) -> Any:  # noqa: N803
        self.asked += sum(len(request["Keys"]) for request in RequestItems.values())
        return super().batch_get_item(RequestItems)

    def store(self, message_id: str, body: str, **more: Any) -> None:
        """Put an event into the table, whose event_id is the body."""
        self.put(
            "events",
            event_id={"S": body},
            message_id={"S": message_id},
            event_type={"S": "order"},
            content_hash={"S": digest(body)},
            payload={"B": body.encode()},
            payload_encoding={"S": "identity"},
            **more,
        )

    def duplicate(self, message_id: str, body: str) -> None:
        """Put a duplicate into the table."""
        self.put(
            "duplicates", message_id={"S": message_id}, event_id={"S": body}, content_hash={"S": digest(body)}
        )

    def reject(self, message_id: str, body: str) -> None:
        """Put a rejected event into the table."""
        self.put(
            "rejected",
            message_id={"S": message_id},
            event_id={"S": body},
            kind={"S": "invalid_event"},
            content_hash={"S": digest(body)},
            payload={"B": body.encode()},
            payload_encoding={"S": "identity"},
        )


@pytest.fixture
def dynamodb() -> CountingDynamoDB:
    return CountingDynamoDB()


@pytest.fixture
def resources(dynamodb: CountingDynamoDB, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Resources:
    # This endpoint cannot list messages: the queues are read by receiving, as on AWS.
    monkeypatch.setattr(queues, "peek", lambda resources, url: None)
    found = pipeline(
        endpoint="http://127.0.0.1:1", sqs=FakeSQS(), dynamodb=dynamodb, s3=FakeS3(), state_dir=tmp_path
    )
    monkeypatch.setattr(Resources, "find", lambda: found)
    return found


def run(*messages: SentMessage) -> SentRun:
    return SentRun("r1", "http://x/events", messages, failed=0, complete=True)


def manifest_of(path: Path, *messages: SentMessage) -> Path:
    header = {
        "manifest": 1,
        "run_id": "r1",
        "seed": 1,
        "queue_url": "http://x/events",
        "started_at": "",
        "arguments": {},
    }
    lines = [header, *({name: getattr(each, name) for name in SentMessage.__slots__} for each in messages)]
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def verified(resources: Resources, *messages: SentMessage, **options: Any) -> VerifyResult:
    return verify.verify(resources, [run(*messages)], wait=0, **options)


def test_a_run_is_verified_without_reading_any_table(
    resources: Resources, dynamodb: CountingDynamoDB
) -> None:
    dynamodb.store("1", "a")
    dynamodb.store("other", "z")
    dynamodb.duplicate("2", "a")
    dynamodb.reject("3", "b")
    result = verified(resources, sent("1", "a"), sent("2", "a", "duplicate"), sent("3", "b", "rejected"))
    assert result.ok
    assert result.reconciliation is not None
    assert result.reconciliation.outcomes == {"stored": 1, "duplicate": 1, "rejected": 1}
    assert (result.stored.total(), result.duplicates, result.bodies) == (1, 1, None)
    assert dynamodb.scanned == []


def test_rows_that_a_redrive_renamed_are_found_by_reading_the_small_tables(
    resources: Resources, dynamodb: CountingDynamoDB
) -> None:
    dynamodb.store("new-1", "a")
    dynamodb.duplicate("new-2", "a")
    dynamodb.reject("new-3", "b")
    result = verified(resources, sent("1", "a"), sent("2", "a", "duplicate"), sent("3", "b", "rejected"))
    assert result.ok
    assert set(dynamodb.scanned) == {"rejected", "duplicates"}


@pytest.mark.parametrize("others", [0, 50], ids=["small tables", "large tables"])
def test_tables_of_other_outcomes_are_read_whole_if_they_are_smaller_than_the_run(
    resources: Resources, dynamodb: CountingDynamoDB, monkeypatch: pytest.MonkeyPatch, others: int
) -> None:
    monkeypatch.setattr(lookup, "_KEYS_FOR_A_PAGE", 1)
    dynamodb.store("1", "a")
    dynamodb.duplicate("2", "a")
    dynamodb.reject("3", "b")
    dynamodb.reject("1", "a")
    dynamodb.put("rejected", message_id={"S": "another run's"}, kind={"B": b"written by hand"})
    for number in range(others):
        dynamodb.reject(f"other-{number}", "c")
        dynamodb.duplicate(f"other-{number}", "d")
    result = verified(resources, sent("1", "a"), sent("2", "a", "duplicate"), sent("3", "b", "rejected"))
    assert {(each.kind, each.name) for each in result.discrepancies} == {("doubled", "a")}
    assert (result.stored.total(), result.duplicates, result.rejected.total()) == (1, 1, 2)
    # Four pages of two items are more than asking for three keys costs. The rows are read twice.
    pages = {name: dynamodb.scanned.count(name) / 2 for name in ("rejected", "duplicates")}
    assert pages == ({"rejected": 4, "duplicates": 4} if others else {"rejected": 2, "duplicates": 1})
    assert dynamodb.asked == 2 * (2 + (6 if others else 0))


def test_a_lost_and_a_doubled_message_are_found_by_asking(
    resources: Resources, dynamodb: CountingDynamoDB
) -> None:
    dynamodb.store("1", "a")
    dynamodb.reject("1", "a")
    result = verified(resources, sent("1", "a"), sent("2", "b"))
    assert {(each.kind, each.name) for each in result.discrepancies} == {("doubled", "a"), ("lost", "b")}


def test_a_duplicate_of_other_content_than_is_stored_is_found_by_asking(
    resources: Resources, dynamodb: CountingDynamoDB
) -> None:
    dynamodb.store("1", "a")
    dynamodb.put(
        "duplicates", message_id={"S": "2"}, event_id={"S": "elsewhere"}, content_hash={"S": digest("a")}
    )
    result = verified(resources, sent("1", "a"), sent("2", "a", "duplicate"))
    assert [(each.kind, each.name) for each in result.discrepancies] == [("dangling", "elsewhere")]


def test_a_row_of_the_run_that_cannot_be_read_is_a_finding(
    resources: Resources, dynamodb: CountingDynamoDB
) -> None:
    dynamodb.put("events", event_id={"S": "a"})
    found = {each.kind for each in verified(resources, sent("1", "a")).discrepancies}
    assert found == {"unreadable", "lost"}


def test_an_event_id_that_no_table_can_have_is_not_asked_for(resources: Resources) -> None:
    result = verified(resources, SentMessage("1", "", None, digest(""), "rejected", False))
    assert [each.kind for each in result.discrepancies] == ["lost"]


def test_everything_is_read_once_and_each_body_hashed(
    resources: Resources, dynamodb: CountingDynamoDB
) -> None:
    for number in range(5):
        dynamodb.store(f"{number}", f"event-{number}")
    dynamodb.duplicate("copy", "event-3")
    dynamodb.reject("bad", "no JSON")
    result = verify.verify(resources, (), wait=0, everything=True)
    assert result.ok
    assert result.bodies is not None
    assert (result.bodies.checked, result.stored.total(), result.duplicates) == (6, 5, 1)
    assert dynamodb.scanned == ["rejected", "duplicates", "events", "events", "events"]


def test_everything_contains_what_is_wrong_outside_the_run(
    resources: Resources, dynamodb: CountingDynamoDB
) -> None:
    dynamodb.store("1", "a")
    dynamodb.store("2", "b", large_order={"BOOL": True})
    dynamodb.tables["events"]["b"]["payload"] = {"B": b"changed"}
    dynamodb.duplicate("3", "gone")
    dynamodb.duplicate("2", "b")
    dynamodb.duplicate("4", "a")
    dynamodb.reject("4", "a")
    result = verified(resources, sent("1", "a"), everything=True)
    assert {(each.kind, each.name) for each in result.discrepancies} == {
        ("unreadable", "b"),
        ("dangling", "gone"),
        ("doubled", "b"),
        ("doubled", "a"),
    }
    assert result.reconciliation is not None
    assert result.reconciliation.sent == 1


@pytest.mark.parametrize("of", [2, 3])
def test_machines_that_share_the_work_find_together_what_one_finds(
    resources: Resources, dynamodb: CountingDynamoDB, tmp_path: Path, of: int
) -> None:
    messages = [sent(f"{number}", f"event-{number}") for number in range(40)]
    for message in messages[:-1]:
        dynamodb.store(message.message_id, message.event_id or "")
        if int(message.message_id) % 4 == 0:
            dynamodb.duplicate(f"copy-{message.message_id}", message.event_id or "")
    dynamodb.duplicate("lonely", "nothing")
    dynamodb.reject("7", "event-7")
    path = manifest_of(tmp_path / "run.jsonl", *messages)
    whole = verify.verify(resources, ManifestParts(path), wait=0, everything=True)
    parts = [
        verify.verify(
            resources, ManifestParts(path, Share(n, of)), wait=0, everything=True, share=Share(n, of)
        )
        for n in range(1, of + 1)
    ]
    assert sum(part.stored.total() for part in parts) == whole.stored.total() == 39
    assert sum(part.duplicates for part in parts) == whole.duplicates
    assert sum(part.bodies.checked for part in parts if part.bodies) == 40
    assert sum(part.reconciliation.sent for part in parts if part.reconciliation) == 40
    assert {each for part in parts for each in part.discrepancies} == set(whole.discrepancies)


def test_a_run_whose_rows_an_erasure_removes_meanwhile_is_undecided_and_not_lost(
    resources: Resources, dynamodb: CountingDynamoDB, tmp_path: Path
) -> None:
    dynamodb.store("1", "kept")
    path = manifest_of(tmp_path / "run.jsonl", sent("1", "kept"), sent("2", "gone"))
    # The record is written between the two looks.
    records = iter((frozenset(), *[frozenset({"2"})] * 2))
    runs = ManifestParts(path, erased=lambda: next(records))
    first = verify.verify(resources, runs, wait=0)
    assert (first.ok, first.is_undecided) == (False, True)
    assert verify.verify(resources, runs, wait=0).ok


def test_memory_does_not_grow_with_the_run_or_the_tables(
    resources: Resources, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class MadeUp(FakeDynamoDB):
        """As many events as asked for, none of which is in memory."""

        def __init__(self, count: int) -> None:
            super().__init__()
            self.count = count

        def item(self, number: int) -> dict[str, Any]:
            body = f"event-{number}"
            row = {"event_id": body, "message_id": f"{number}", "content_hash": digest(body)}
            payload = {"payload": {"B": body.encode()}, "payload_encoding": {"S": "identity"}}
            return {
                **{name: {"S": value} for name, value in row.items()},
                "event_type": {"S": "order"},
            } | payload

        def batch_get_item(self, RequestItems: dict[str, Any]) -> Any:  # noqa: N803
            ((table, request),) = RequestItems.items()
            wanted = [key["event_id"]["S"] for key in request["Keys"] if table == "events"]
            return {"Responses": {table: [self.item(int(name.rpartition("-")[2])) for name in wanted]}}

        def scan(self, TableName: str, **request: Any) -> Any:  # noqa: N803
            start = request.get("ExclusiveStartKey", 0)
            end = min(self.count, start + 500) if TableName == "events" else 0
            more = {"LastEvaluatedKey": end} if end < self.count and TableName == "events" else {}
            return {"Items": [self.item(number) for number in range(start, end)], **more}

    def peak(count: int) -> int:
        messages = (sent(f"{number}", f"event-{number}") for number in range(count))
        path = manifest_of(tmp_path / f"{count}.jsonl", *messages)
        resources.clients["dynamodb"] = MadeUp(count)
        tracemalloc.start()
        result = verify.verify(resources, ManifestParts(path), wait=0, everything=True)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (result.ok, result.stored.total()) == (True, count)
        return used

    monkeypatch.setattr("tools.ops.verify.manifest._PART_BYTES", 130_000)
    assert peak(4_000) < 1.5 * peak(1_000)


def test_the_cost_is_a_unit_for_each_4_kb_of_an_item_and_one_for_each_missing_key(
    resources: Resources, dynamodb: CountingDynamoDB
) -> None:
    for name in "abcd":
        dynamodb.store(name, name, payload_key={"S": "x" * 9_000})
    messages = [sent(name, name) for name in "abcd"]
    estimated = commands.estimate(resources, [run(*messages)], Share(), everything=False)
    assert (estimated.run_messages, estimated.units) == (4, 4 * (3 + 2))
    assert commands.estimate(resources, (), Share(), everything=True).table_items == 4
    assert "$0.0000 on AWS" in str(estimated)


def test_more_than_a_million_read_units_are_only_read_after_a_yes(
    resources: Resources,
    dynamodb: CountingDynamoDB,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    random_ids = [f"{random.Random(n).getrandbits(64)}" for n in range(3)]
    for name in random_ids:
        dynamodb.store(name, name)
    monkeypatch.setattr(dynamodb, "describe_table", lambda TableName: {"Table": {"ItemCount": 10**8}})  # noqa: N803
    answers: list[str] = []

    def answer(question: str) -> str:
        answers.append(question)
        return "n"

    monkeypatch.setattr("builtins.input", answer)
    assert main(["verify", "--wait", "0", "--all"]) == 2
    assert len(answers) == 1
    assert main(["verify", "--wait", "0", "--all", "--auto-approve"]) == 0
    assert len(answers) == 1
    printed = capsys.readouterr()
    assert "read units" in printed.err
    assert "decoded and hashed" in printed.out


def test_without_a_terminal_the_question_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_terminal(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", no_terminal)
    with pytest.raises(UsageError, match="no terminal"):
        commands.is_confirmed(commands.ReadCost(run_messages=1, run_units=1_000_001), approved=False)


def test_the_report_of_a_run_says_that_bodies_were_not_hashed(
    resources: Resources,
    dynamodb: CountingDynamoDB,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    dynamodb.store("1", "a")
    manifest_of(tmp_path / "manifests" / "r1.jsonl", sent("1", "a"))
    assert main(["verify", "--wait", "0"]) == 0
    printed = capsys.readouterr().out
    assert "not hashed again; ALL=1 hashes every body" in printed
    assert "1 sent = 1 stored" in printed


def test_a_snapshot_of_a_run_contains_the_rows_and_queues(
    resources: Resources, dynamodb: CountingDynamoDB
) -> None:
    more = {
        "large_order": {"BOOL": True},
        "alert_pending": {"S": "large_order"},
        "payload_key": {"S": "payloads/a"},
        "payload_bytes": {"N": "1"},
    }
    dynamodb.store("1", "a", **more)
    dynamodb.duplicate("2", "a")
    reason = {"M": {"path": {"S": "$"}, "rule": {"S": "json"}, "reason": {"S": "not JSON"}}}
    dynamodb.reject("3", "b")
    dynamodb.tables["rejected"]["3"]["reasons"] = {"L": [reason]}
    resources.client("s3").objects["payloads/a"] = b"a"
    resources.client("sqs").put(DLQ, "dead")
    messages = [sent("1", "a"), sent("2", "a", "duplicate"), sent("3", "b", "rejected")]
    contents = verify.collect_when_drained(resources, messages, wait=0)
    (event,) = contents.stored
    assert (event.large_order, event.alert_pending, event.replayed) == (True, True, False)
    assert contents.duplicates[0].stored_hash == digest("a")
    assert contents.rejected[0].rule == "json"
    assert contents.objects is not None
    assert "payloads/a" in contents.objects
    assert (len(contents.dead_lettered), contents.still) == (1, True)
