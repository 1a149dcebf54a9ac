from __future__ import annotations

from collections.abc import Callable

from tests.unit.tools.ops.fakes import QUEUE, FakeDynamoDB, FakeS3, FakeSQS, pipeline
from tools.core.resources import Resources
from tools.ops import rejections
from tools.ops.recover.replay import Replayed, dry_run, replay, wait_for_outcome


def _rejected(dynamodb: FakeDynamoDB, message_id: str, body: bytes, reason: str = "is missing") -> None:
    dynamodb.put(
        "rejected",
        message_id={"S": message_id},
        rejected_at={"S": f"2026-11-23T00:00:0{len(dynamodb.tables['rejected'])}.000Z"},
        bucket={"S": f"rejected#{len(dynamodb.tables['rejected']) % 8}"},
        kind={"S": "invalid_event"},
        reasons={"L": [{"M": {"path": {"S": "$.a"}, "rule": {"S": "required"}, "reason": {"S": reason}}}]},
        rules={"SS": ["required"]},
        summary={"S": f"$.a {reason}"},
        payload={"B": body},
        payload_encoding={"S": "identity"},
    )


class Harness:
    """A queue, a rejected table, and a function that decides at each tick of the clock."""

    def __init__(self) -> None:
        self.sqs, self.dynamodb = FakeSQS(), FakeDynamoDB()
        self.resources: Resources = pipeline(sqs=self.sqs, dynamodb=self.dynamodb, s3=FakeS3())
        self.now = 0.0
        self.process: Callable[[], None] = lambda: None

    def replay(self) -> Replayed:
        done = replay(self.resources, rejections.find(self.resources), lambda count: None)
        wait_for_outcome(self.resources, done, wait=120, clock=lambda: self.now, sleep=self._tick)
        return done

    def _tick(self, seconds: float) -> None:
        self.now += seconds
        self.process()


def test_rejected_bodies_go_back_as_they_were_and_name_their_origin() -> None:
    harness = Harness()
    for number in range(12):
        _rejected(harness.dynamodb, f"m-{number}", f'{{"n": 1.{number}0}}'.encode())
    replay(harness.resources, rejections.find(harness.resources), lambda count: None)
    sent = harness.sqs.queues[QUEUE]
    origins = {m["MessageAttributes"]["origin_message_id"]["StringValue"]: m["Body"] for m in sent}
    assert origins == {f"m-{number}": f'{{"n": 1.{number}0}}' for number in range(12)}


def test_what_succeeds_is_stored_and_what_fails_again_stays_rejected() -> None:
    harness = Harness()
    _rejected(harness.dynamodb, "good", b"{}")
    _rejected(harness.dynamodb, "bad", b"[]")

    def process() -> None:
        harness.sqs.queues[QUEUE].clear()
        harness.dynamodb.tables["rejected"].pop("good", None)

    harness.process = process
    done = harness.replay()
    assert (done.stored, done.still_rejected, done.undecided) == ({"good"}, {"bad"}, set())


def test_nothing_is_decided_before_the_queue_has_been_empty_for_a_while() -> None:
    harness = Harness()
    _rejected(harness.dynamodb, "bad", b"[]")
    harness.process = harness.sqs.queues[QUEUE].clear
    harness.replay()
    assert harness.now >= harness.resources.settle_seconds


def test_waiting_ends_as_soon_as_everything_is_stored() -> None:
    harness = Harness()
    _rejected(harness.dynamodb, "good", b"{}")
    harness.process = harness.dynamodb.tables["rejected"].clear
    assert harness.replay().stored == {"good"}
    assert harness.now < 1


def test_copies_still_queued_at_the_deadline_are_undecided() -> None:
    harness = Harness()
    _rejected(harness.dynamodb, "slow", b"{}")
    done = harness.replay()
    assert done.undecided == {"slow"}
    assert done.still_rejected == set()


def test_what_sqs_does_not_take_is_reported_and_left() -> None:
    harness = Harness()
    _rejected(harness.dynamodb, "control", b"\x00")
    _rejected(harness.dynamodb, "binary", b"\xff\xfe")
    _rejected(harness.dynamodb, "huge", b"x" * 1_048_576)
    _rejected(harness.dynamodb, "fine", b"{}")
    harness.dynamodb.put(
        "rejected",
        message_id={"S": "gone"},
        bucket={"S": "rejected#0"},
        rejected_at={"S": "2026-11-23T00:00:00.000Z"},
        payload_key={"S": "payloads/x"},
        payload_encoding={"S": "identity"},
    )
    done = replay(harness.resources, rejections.find(harness.resources), lambda count: None)
    assert done.sent == ["fine"]
    assert set(done.refused) == {"control", "binary", "huge", "gone"}
    assert "U+0000" in done.refused["control"]
    assert "1,048,576" in done.refused["huge"]
    assert "payloads/x" in done.refused["gone"]
    assert len(harness.dynamodb.tables["rejected"]) == 5


def test_what_another_replay_has_brought_in_meanwhile_is_not_sent() -> None:
    harness = Harness()
    _rejected(harness.dynamodb, "m-1", b"{}")
    chosen = rejections.find(harness.resources)
    harness.dynamodb.tables["rejected"].clear()
    done = replay(harness.resources, chosen, lambda count: None)
    assert "no longer rejected" in done.refused["m-1"]


def test_a_rehearsal_sends_nothing() -> None:
    harness = Harness()
    _rejected(harness.dynamodb, "m-1", b"{}")
    assert dry_run(harness.resources, rejections.find(harness.resources)).sent == ["m-1"]
    assert harness.sqs.queues[QUEUE] == []
