"""`make trace` tells what the tables, the archive and the dead-letter queue have of an event."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.tools.fakes import FakeDynamoDB, FakeS3, FakeSQS, pipeline
from tools.core import console
from tools.core.errors import ToolError
from tools.core.resources import Resources
from tools.ops.__main__ import main
from tools.ops.inspect import trace, trace_event
from tools.ops.inspect.trace import Step, Trace
from tools.ops.inspect.trace_archive import Search

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
INDEXED = {"bucket": {"S": "rejected#0"}, "rejected_at": {"S": "2026-11-22T14:05:00.000Z"}}
HOUR = "dt=2026-11-22/hour=14"


def stored(event_id: str = "e-1", **changes: Any) -> dict[str, Any]:
    return {
        "event_id": {"S": event_id},
        "event_type": {"S": "order"},
        "customer_id": {"S": "c-1"},
        "occurred_at": {"S": "2026-11-22T14:00:00.000Z"},
        "received_at": {"S": "2026-11-22T14:00:01.000Z"},
        "processed_at": {"S": "2026-11-22T14:00:01.250Z"},
        "amount": {"N": "1250.10"},
        "currency": {"S": "EUR"},
        "large_order": {"BOOL": True},
        "message_id": {"S": "m-1"},
        "content_hash": {"S": "0" * 64},
        "payload": {"B": b"123"},
        "payload_bytes": {"N": "300"},
        "payload_encoding": {"S": "zstd"},
        **changes,
    }


class Harness:
    """A pipeline in memory."""

    def __init__(self, *, archive: bool = True) -> None:
        self.dynamodb, self.s3, self.sqs = FakeDynamoDB(), FakeS3(), FakeSQS()
        self.resources: Resources = pipeline(
            archive=archive, sqs=self.sqs, dynamodb=self.dynamodb, s3=self.s3
        )

    def archive(self, prefix: str, *lines: dict[str, Any] | bytes, hour: str = HOUR) -> str:
        """Put an object into the archive. Returns its key."""
        key = f"{prefix}/{hour}/{len(self.s3.objects)}.json.gz"
        texts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
        self.s3.objects[key] = gzip.compress(b"".join(text + b"\n" for text in texts))
        return key

    def search(self, since: str = "2026-11-22T00:00") -> Search:
        found = trace.open_search(self.resources, since, None, NOW)
        assert found
        return found

    def event(self, event_id: str = "e-1") -> Trace:
        return trace_event.of_event(self.resources, event_id, self.search(), NOW)


@pytest.fixture
def world() -> Harness:
    return Harness()


def story(told: Trace) -> list[str]:
    return [step.what for step, _ in told.in_order()]


def event_line(event_id: str, event: dict[str, Any], **fields: Any) -> dict[str, Any]:
    times = {"occurred_at": "2026-11-22T14:00:00Z", "received_at": "2026-11-22T14:00:01.000Z"}
    return {"event_id": event_id, "event_type": "order", **times, **fields, "event": event}


def test_an_event_has_its_steps_in_time_order_with_the_latency_between_them(world: Harness) -> None:
    world.dynamodb.put("events", **stored())
    key = world.archive("events/type=order", event_line("e-1", {}), event_line("e-2", {}))
    told = world.event()
    assert story(told) == ["occurred", "received", "stored", "archived", "alerted"]
    assert [ms for _, ms in told.in_order()][:3] == [None, 1000, 250]
    assert told.steps[2].detail == "300 bytes in the item, as 3 of zstd"
    assert told.steps[-1].detail == key
    assert "order of customer c-1, 1250.10 EUR" in told.title
    assert not told.expected


def test_a_row_is_not_archived_before_it_exists_although_s3_names_only_the_second(world: Harness) -> None:
    world.archive("events/type=order", event_line("e-1", {}))
    (written,) = (line.written_at for line in world.search().find("e-1", lambda _: True, ["events"]))
    times = [f"{written:%Y-%m-%dT%H:%M:%S}.{millis}Z" for millis in (100, 200, 300)]
    names = ("occurred_at", "received_at", "processed_at")
    row: dict[str, Any] = {name: {"S": at} for name, at in zip(names, times, strict=True)}
    world.dynamodb.put("events", **stored(large_order={"BOOL": False}, **row))
    world.archive("events/type=order", event_line("e-1", {}, **dict(zip(names, times, strict=True))))
    assert story(world.event())[-4:] == ["occurred", "received", "stored", "archived"]


def test_duplicates_and_conflicts_that_came_later_are_part_of_it(world: Harness) -> None:
    world.dynamodb.put("events", **stored(large_order={"BOOL": False}))
    world.dynamodb.put(
        "duplicates",
        message_id={"S": "m-2"},
        event_id={"S": "e-1"},
        recorded_at={"S": "2026-11-22T14:01:00.000Z"},
    )
    world.dynamodb.put("duplicates", message_id={"S": "m-9"}, event_id={"S": "other"})
    world.dynamodb.put(
        "rejected",
        message_id={"S": "m-3"},
        event_id={"S": "e-1"},
        bucket={"S": "rejected#0"},
        kind={"S": "event_id_conflict"},
        received_at={"S": "2026-11-22T14:02:00.000Z"},
        rejected_at={"S": "2026-11-22T14:02:01.000Z"},
        alert_pending={"S": "event_id_conflict"},
    )
    told = world.event()
    assert story(told) == ["occurred", "received", "stored", "duplicate", "received", "rejected"]
    assert "the alert event_id_conflict of message m-3" in told.expected
    assert "make rejected ID=m-3" in told.next


def test_a_replayed_event_was_rejected_before(world: Harness) -> None:
    world.dynamodb.put("events", **stored(replayed={"BOOL": True}))
    reasons = [{"path": "$.a", "rule": "type", "reason": "must be a string"}]
    line = {"message_id": "m-1", "event_id": "e-1", "kind": "invalid_event", "reasons": reasons}
    world.archive("rejected/kind=invalid_event", {**line, "rejected_at": "2026-11-22T13:00:00Z"})
    told = world.event()
    assert story(told)[:2] == ["rejected", "occurred"]
    assert told.in_order()[0][0].detail == "m-1, replayed or expired since: $.a must be a string"
    assert any("a copy that make replay" in step.detail for step in told.steps)


def test_what_is_still_due_is_said(world: Harness) -> None:
    late = {"S": "2026-11-22T14:59:59.000Z"}
    world.dynamodb.put("events", **stored(processed_at=late, alert_pending={"S": "large_order"}))
    told = world.event()
    assert [each.partition(",")[0] for each in told.expected] == [
        "the alert large_order",
        "the archive; it lags by up to 15 minutes",
    ]
    world.dynamodb.put("events", **stored())
    assert "make verify" in world.event().expected[0]


def test_a_payload_in_s3_is_named_with_its_size(world: Harness) -> None:
    item = stored(payload_key={"S": "payloads/x"}, payload_bytes={"N": "1048576"})
    del item["payload"]
    world.dynamodb.put("events", **item)
    told = world.event()
    assert any("1,048,576 bytes as zstd in s3://" in step.detail for step in told.steps)


def test_an_event_older_than_the_searched_range_is_found_in_its_own_hour(world: Harness) -> None:
    old = {"S": "2025-01-02T03:04:05.000Z"}
    world.dynamodb.put("events", **stored(received_at=old, processed_at=old))
    world.archive("events/type=order", event_line("e-1", {}), hour="dt=2025-01-02/hour=03")
    assert "archived" in story(world.event())


def test_a_dead_letter_of_the_event_is_found(world: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    from tools.core import queues
    from tools.core.queues import Depth, QueuedMessage

    world.dynamodb.put("events", **stored())
    monkeypatch.setattr(queues, "depth", lambda sqs, url: Depth(1, 0, 0))
    letters = [QueuedMessage("m-8", "0" * 64), QueuedMessage("m-9", "1" * 64)]
    monkeypatch.setattr(queues, "read_dead_letters", lambda resources: letters)
    told = world.event()
    assert [step.detail for step in told.steps if step.what == "dead-lettered"] == ["message m-8"]
    assert "make redrive" in told.next


@pytest.mark.parametrize("table", ["rejected", "duplicates", "archive"])
def test_a_message_leads_to_its_event(world: Harness, table: str) -> None:
    world.dynamodb.put("events", **stored())
    if table == "archive":
        world.archive("events/type=order", event_line("e-1", {}, message_id="m-7"))
    else:
        world.dynamodb.put(table, message_id={"S": "m-7"}, event_id={"S": "e-1"}, **INDEXED)
    told = trace_event.of_message(world.resources, "m-7", world.search(), NOW)
    assert told.title == "Message m-7 carried event e-1"
    assert "stored" in story(told)


def test_a_rejected_message_without_an_event_id_has_a_story(world: Harness) -> None:
    world.dynamodb.put("rejected", message_id={"S": "m-7"}, kind={"S": "invalid_event"})
    told = trace_event.of_message(world.resources, "m-7", world.search(), NOW)
    assert "rejected" in story(told)


def test_an_order_has_its_payments_and_the_session_that_led_to_it(world: Harness) -> None:
    order = {"order_id": "o-1", "session_id": "s-1"}
    world.archive(
        "events/type=order", event_line("e-3", order, amount=12), event_line("e-9", {"order_id": "o-2"})
    )
    world.archive(
        "events/type=payment",
        event_line("e-4", {"order_id": "o-1", "status": "captured"}, event_type="payment"),
    )
    view = event_line("e-1", {"session_id": "s-1", "action": "page_view"}, event_type="activity")
    world.archive("events/type=activity", {**view, "occurred_at": "2026-11-22T13:59:00Z"})
    told = trace.of_order(world.search(), "o-1")
    assert [step.event_id for step, _ in told.in_order()] == ["e-1", "e-3", "e-4"]
    assert told.next == ["make trace EVENT_ID=e-3"]


def test_the_newest_events_of_a_customer_are_listed_in_time_order(world: Harness) -> None:
    for number in range(4):
        at = {"S": f"2026-11-22T14:0{number}:00.000Z"}
        world.dynamodb.put("events", **stored(f"e-{number}", received_at=at, occurred_at=at))
    told = trace.of_customer(world.resources, "c-1", 3)
    assert [step.event_id for step, _ in told.in_order()] == ["e-1", "e-2", "e-3"]
    assert "LIMIT=15" in told.notes[0]


def test_what_nobody_knows_is_an_error_that_says_what_to_type(world: Harness) -> None:
    tellers: list[Callable[[], Trace]] = [
        lambda: world.event("nowhere"),
        lambda: trace_event.of_message(world.resources, "nowhere", world.search(), NOW),
        lambda: trace.of_order(world.search(), "nowhere"),
        lambda: trace.of_customer(world.resources, "nowhere", 20),
    ]
    for tell in tellers:
        with pytest.raises(ToolError) as error:
            tell()
        assert error.value.hint


def test_damaged_objects_and_lines_hide_no_other(world: Harness) -> None:
    world.s3.objects[f"events/type=order/{HOUR}/bad.json.gz"] = b"no gzip"
    deep = b'{"event_id":"e-1","event":' + b"[" * 100_000
    hostile = event_line("e-1", {"order_id": 7}, event_type=["\x1b"], amount={"a": 1}, message_id=None)
    odd: list[Any] = [7, {"a": 1}, [7, None, {}], [{"path": ["\x1b"]}]]
    for reasons in odd:
        world.archive(
            "rejected/kind=invalid_event", {"event_id": "e-1", "reasons": reasons, "rejected_at": 7}
        )
    world.archive("events/type=order", deep, b'{"e-1":"\xff', b'["e-1"]', hostile, event_line("e-1", {}))
    world.dynamodb.put("events", **stored())
    search = world.search()
    told = trace_event.of_event(world.resources, "e-1", search, NOW)
    assert "archived" in story(told)
    assert search.unread == 1


@pytest.mark.parametrize(("columns", "indent"), [(120, 34), (80, 34), (60, 4)])
def test_a_long_key_is_broken_between_its_parts_under_its_own_column(
    columns: int, indent: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console.out, "_width", columns)
    sequence = f"{17957616950600000008880:030}"
    key = f"events/type=order/{HOUR}/{sequence}-{sequence}-165a511d37e4252f.jsonl.zst"
    told = Trace("Event e-1", [Step("2026-11-22T14:00:01.000Z", "archived", key)])
    trace.show(told, None, as_json=False)
    lines = capsys.readouterr().out.splitlines()[2:]
    assert max(map(len, lines)) <= columns
    assert all(line[:indent].isspace() for line in lines[1:])
    assert "".join(line[indent:] for line in lines).endswith(key)
    if columns == 80:
        assert [line[indent:] for line in lines[1:]] == [
            f"{sequence}-",
            f"{sequence}-",
            "165a511d37e4252f.jsonl.zst",
        ]


def test_a_story_is_printed_for_people_and_as_json(
    world: Harness, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Resources, "find", lambda: world.resources)
    world.dynamodb.put("events", **stored("e\x1b[2J", occurred_at={"S": "\x1b"}))
    assert main(["trace", "--event-id", "e\x1b[2J"]) == 0
    shown = capsys.readouterr()
    assert "\x1b" not in shown.out + shown.err
    assert "+250 ms" in shown.out
    assert "make get" in shown.err
    assert max(map(len, shown.out.splitlines())) <= 100
    assert main(["trace", "--event-id", "e\x1b[2J", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {"title", "steps", "still_due", "not_recorded", "notes", "next"} == set(document)


@pytest.mark.parametrize(
    "given", [[], ["--event-id", "a", "--customer", "b"], ["--event-id", "a", "--since", "x"]]
)
def test_wrong_variables_are_explained(
    world: Harness, given: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Resources, "find", lambda: world.resources)
    assert main(["trace", *given]) == 2
    assert capsys.readouterr().err


def test_an_order_needs_an_archive(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Resources, "find", lambda: Harness(archive=False).resources)
    assert main(["trace", "--order-id", "o"]) == 1
    assert "has no archive" in capsys.readouterr().err
