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


class World:
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
    world = World()
    for number in range(12):
        _rejected(world.dynamodb, f"m-{number}", f'{{"n": 1.{number}0}}'.encode())
    replay(world.resources, rejections.find(world.resources), lambda count: None)
    sent = world.sqs.queues[QUEUE]
    origins = {m["MessageAttributes"]["origin_message_id"]["StringValue"]: m["Body"] for m in sent}
    assert origins == {f"m-{number}": f'{{"n": 1.{number}0}}' for number in range(12)}


def test_what_succeeds_is_stored_and_what_fails_again_stays_rejected() -> None:
    world = World()
    _rejected(world.dynamodb, "good", b"{}")
    _rejected(world.dynamodb, "bad", b"[]")

    def process() -> None:
        world.sqs.queues[QUEUE].clear()
        world.dynamodb.tables["rejected"].pop("good", None)

    world.process = process
    done = world.replay()
    assert (done.stored, done.still_rejected, done.undecided) == ({"good"}, {"bad"}, set())


def test_nothing_is_decided_before_the_queue_has_been_empty_for_a_while() -> None:
    world = World()
    _rejected(world.dynamodb, "bad", b"[]")
    world.process = world.sqs.queues[QUEUE].clear
    world.replay()
    assert world.now >= world.resources.settle_seconds


def test_waiting_ends_as_soon_as_everything_is_stored() -> None:
    world = World()
    _rejected(world.dynamodb, "good", b"{}")
    world.process = world.dynamodb.tables["rejected"].clear
    assert world.replay().stored == {"good"}
    assert world.now < 1


def test_copies_still_queued_at_the_deadline_are_undecided() -> None:
    world = World()
    _rejected(world.dynamodb, "slow", b"{}")
    done = world.replay()
    assert done.undecided == {"slow"}
    assert done.still_rejected == set()


def test_what_sqs_does_not_take_is_reported_and_left() -> None:
    world = World()
    _rejected(world.dynamodb, "control", b"\x00")
    _rejected(world.dynamodb, "binary", b"\xff\xfe")
    _rejected(world.dynamodb, "huge", b"x" * 1_048_576)
    _rejected(world.dynamodb, "fine", b"{}")
    world.dynamodb.put(
        "rejected",
        message_id={"S": "gone"},
        bucket={"S": "rejected#0"},
        rejected_at={"S": "2026-11-23T00:00:00.000Z"},
        payload_key={"S": "payloads/x"},
        payload_encoding={"S": "identity"},
    )
    done = replay(world.resources, rejections.find(world.resources), lambda count: None)
    assert done.sent == ["fine"]
    assert set(done.refused) == {"control", "binary", "huge", "gone"}
    assert "U+0000" in done.refused["control"]
    assert "1,048,576" in done.refused["huge"]
    assert "payloads/x" in done.refused["gone"]
    assert len(world.dynamodb.tables["rejected"]) == 5


def test_what_another_replay_has_brought_in_meanwhile_is_not_sent() -> None:
    world = World()
    _rejected(world.dynamodb, "m-1", b"{}")
    chosen = rejections.find(world.resources)
    world.dynamodb.tables["rejected"].clear()
    done = replay(world.resources, chosen, lambda count: None)
    assert "no longer rejected" in done.refused["m-1"]


def test_a_rehearsal_sends_nothing() -> None:
    world = World()
    _rejected(world.dynamodb, "m-1", b"{}")
    assert dry_run(world.resources, rejections.find(world.resources)).sent == ["m-1"]
    assert world.sqs.queues[QUEUE] == []
