from __future__ import annotations

from collections.abc import Callable

from tests.unit.tools.fakes import QUEUE, FakeDynamoDB, FakeS3, FakeSQS, pipeline
from tests.unit.tools.ops.factories import put_rejected
from tools.core.resources import Resources
from tools.ops import rejections
from tools.ops.recover.replay import ReplayResult, dry_run, replay, wait_for_outcomes


class Harness:
    """A queue, a rejected table, and a function that runs at each tick of the clock."""

    def __init__(self) -> None:
        self.sqs, self.dynamodb = FakeSQS(), FakeDynamoDB()
        self.resources: Resources = pipeline(sqs=self.sqs, dynamodb=self.dynamodb, s3=FakeS3())
        self.now = 0.0
        self.process: Callable[[], None] = lambda: None

    def replay(self) -> ReplayResult:
        result = replay(self.resources, rejections.find(self.resources), lambda count: None)
        wait_for_outcomes(self.resources, result, wait=120, clock=lambda: self.now, sleep=self._tick)
        return result

    def _tick(self, seconds: float) -> None:
        self.now += seconds
        self.process()


def test_rejected_bodies_are_sent_unchanged_and_name_their_origin() -> None:
    harness = Harness()
    for number in range(12):
        put_rejected(harness.dynamodb, f"m-{number}", f'{{"n": 1.{number}0}}'.encode())
    replay(harness.resources, rejections.find(harness.resources), lambda count: None)
    sent = harness.sqs.queues[QUEUE]
    origins = {m["MessageAttributes"]["origin_message_id"]["StringValue"]: m["Body"] for m in sent}
    assert origins == {f"m-{number}": f'{{"n": 1.{number}0}}' for number in range(12)}


def test_copies_are_reported_as_stored_or_still_rejected() -> None:
    harness = Harness()
    put_rejected(harness.dynamodb, "good", b"{}")
    put_rejected(harness.dynamodb, "bad", b"[]")

    def process() -> None:
        harness.sqs.queues[QUEUE].clear()
        harness.dynamodb.tables["rejected"].pop("good", None)

    harness.process = process
    result = harness.replay()
    assert (result.stored, result.still_rejected, result.pending) == ({"good"}, {"bad"}, set())


def test_outcomes_are_decided_after_the_queue_has_been_quiet() -> None:
    harness = Harness()
    put_rejected(harness.dynamodb, "bad", b"[]")
    harness.process = harness.sqs.queues[QUEUE].clear
    harness.replay()
    assert harness.now >= harness.resources.quiet_seconds


def test_waiting_ends_when_all_events_are_stored() -> None:
    harness = Harness()
    put_rejected(harness.dynamodb, "good", b"{}")
    harness.process = harness.dynamodb.tables["rejected"].clear
    assert harness.replay().stored == {"good"}
    assert harness.now < 1


def test_copies_still_queued_at_the_deadline_are_pending() -> None:
    harness = Harness()
    put_rejected(harness.dynamodb, "slow", b"{}")
    result = harness.replay()
    assert result.pending == {"slow"}
    assert result.still_rejected == set()


def test_bodies_that_sqs_refuses_are_reported_and_stay_rejected() -> None:
    harness = Harness()
    put_rejected(harness.dynamodb, "control", b"\x00")
    put_rejected(harness.dynamodb, "binary", b"\xff\xfe")
    put_rejected(harness.dynamodb, "huge", b"x" * 1_048_576)
    put_rejected(harness.dynamodb, "fine", b"{}")
    harness.dynamodb.put(
        "rejected",
        message_id={"S": "gone"},
        bucket={"S": "rejected#0"},
        rejected_at={"S": "2026-11-23T00:00:00.000Z"},
        payload_key={"S": "payloads/x"},
        payload_encoding={"S": "identity"},
    )
    result = replay(harness.resources, rejections.find(harness.resources), lambda count: None)
    assert result.sent == ["fine"]
    assert set(result.refused) == {"control", "binary", "huge", "gone"}
    assert "U+0000" in result.refused["control"]
    assert "1,048,576" in result.refused["huge"]
    assert "payloads/x" in result.refused["gone"]
    assert len(harness.dynamodb.tables["rejected"]) == 5


def test_an_event_that_another_replay_has_stored_is_not_sent() -> None:
    harness = Harness()
    put_rejected(harness.dynamodb, "m-1", b"{}")
    selected = rejections.find(harness.resources)
    harness.dynamodb.tables["rejected"].clear()
    result = replay(harness.resources, selected, lambda count: None)
    assert "no longer rejected" in result.refused["m-1"]


def test_a_dry_run_sends_nothing() -> None:
    harness = Harness()
    put_rejected(harness.dynamodb, "m-1", b"{}")
    assert dry_run(harness.resources, rejections.find(harness.resources)).sent == ["m-1"]
    assert harness.sqs.queues[QUEUE] == []
