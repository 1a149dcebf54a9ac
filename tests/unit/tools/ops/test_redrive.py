from __future__ import annotations

from typing import Any

import pytest

from tests.unit.tools.ops.fakes import DLQ, QUEUE, FakeSQS, pipeline
from tools.core.errors import OpsError
from tools.ops.recover.message_mover import MessageMover
from tools.ops.recover.redrive import Redriven, redrive


def _quietly(done: int) -> None:
    pass


def _copying(sqs: FakeSQS, rate: int | None = None, sleeps: list[float] | None = None) -> MessageMover:
    slept = sleeps if sleeps is not None else []
    return MessageMover(sqs, DLQ, QUEUE, rate, clock=lambda: sum(slept), sleep=slept.append)


def _origins(sqs: FakeSQS) -> list[Any]:
    return [message["MessageAttributes"]["origin_message_id"]["StringValue"] for message in sqs.queues[QUEUE]]


def _attribute(text: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": text}


def test_without_dead_letters_there_is_nothing_to_do() -> None:
    assert redrive(pipeline(sqs=FakeSQS()), rate=None, progress=_quietly) == Redriven("copy", 0, 0, 0)


def test_where_sqs_has_no_task_every_message_is_copied_and_names_its_origin() -> None:
    sqs = FakeSQS()
    ids = sqs.put(DLQ, *(f"body-{number}" for number in range(23)))
    done = redrive(pipeline(sqs=sqs), rate=None, progress=_quietly)
    assert (done.means, done.before, done.moved, done.remaining) == ("copy", 23, 23, 0)
    assert done.balances
    assert _origins(sqs) == ids
    assert [message["Body"] for message in sqs.queues[QUEUE]] == [f"body-{number}" for number in range(23)]


def test_sqs_own_task_is_used_where_there_is_one_and_is_held_to_its_rate() -> None:
    sqs = FakeSQS()
    sqs.tasks = [{"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": 99, "StartedTimestamp": 1}]
    sqs.put(DLQ, "a", "b")
    done = redrive(pipeline(sqs=sqs), rate=900, progress=_quietly)
    assert (done.means, done.moved, done.remaining) == ("task", 2, 0)
    request = sqs.tasks[0]["request"]
    assert request == {
        "SourceArn": "arn:events-dlq",
        "DestinationArn": "arn:events",
        "MaxNumberOfMessagesPerSecond": 500,
    }


def test_a_task_that_fails_is_reported_with_sqs_reason() -> None:
    sqs = FakeSQS()
    sqs.tasks = []
    sqs.put(DLQ, "a")

    def fail(**_: Any) -> None:
        assert sqs.tasks is not None
        sqs.tasks.insert(0, {"Status": "FAILED", "FailureReason": "AccessDenied", "StartedTimestamp": 1})

    sqs.start_message_move_task = fail  # type: ignore[method-assign]
    with pytest.raises(OpsError, match="AccessDenied"):
        redrive(pipeline(sqs=sqs), rate=None, progress=_quietly)


def test_attributes_are_kept_and_an_origin_already_named_stays() -> None:
    sqs = FakeSQS()
    sqs.put(DLQ, "a", origin_message_id=_attribute("first"), tenant=_attribute("t1"))
    _copying(sqs).run(1, _quietly)
    (message,) = sqs.queues[QUEUE]
    assert message["MessageAttributes"] == {
        "origin_message_id": _attribute("first"),
        "tenant": _attribute("t1"),
    }


def test_a_redrive_killed_between_send_and_delete_loses_nothing_and_the_next_one_names_the_same_origin() -> (
    None
):
    sqs = FakeSQS()
    (first,) = sqs.put(DLQ, "a")

    def killed() -> None:
        raise KeyboardInterrupt

    sqs.before_delete = killed
    with pytest.raises(KeyboardInterrupt):
        _copying(sqs).run(1, _quietly)
    assert len(sqs.queues[DLQ]) == 1
    sqs.queues[DLQ][0]["hidden"] = False  # the visibility timeout runs out
    sqs.before_delete = lambda: None
    _copying(sqs).run(1, _quietly)
    assert sqs.queues[DLQ] == []
    assert _origins(sqs) == [first, first]


def test_a_message_that_comes_back_dead_lettered_is_not_moved_in_circles() -> None:
    sqs = FakeSQS()
    ids = sqs.put(DLQ, *"abcdefghijkl")

    def fails_again() -> None:
        sqs.queues[DLQ].insert(0, sqs.queues[QUEUE].pop(0))
        sqs.before_delete = lambda: None

    sqs.before_delete = fails_again
    copying = _copying(sqs)
    copying.run(12, _quietly)
    assert copying.moved == 12
    assert len(copying.returned) == 1
    assert [message["hidden"] for message in sqs.queues[DLQ]] == [False]
    assert sorted(_origins(sqs)) == sorted(ids[1:])


def test_what_sqs_refuses_stays_dead_lettered_and_visible() -> None:
    sqs = FakeSQS()
    first, _ = sqs.put(DLQ, "bad", "good")
    sqs.objection = lambda entry: ("InvalidMessageContents", True) if entry["MessageBody"] == "bad" else None
    done = redrive(pipeline(sqs=sqs), rate=None, progress=_quietly)
    assert done.refused == {first: "InvalidMessageContents"}
    assert (done.moved, done.remaining) == (1, 1)
    assert done.balances
    assert not sqs.queues[DLQ][0]["hidden"]


def test_a_message_too_full_for_one_more_attribute_is_moved_without() -> None:
    sqs = FakeSQS()
    ten = {f"name-{number}": _attribute("x") for number in range(10)}
    sqs.put(DLQ, "full", **ten)
    sqs.put(DLQ, "x" * 1_048_576)
    _copying(sqs).run(2, _quietly)
    assert [sorted(message["MessageAttributes"]) for message in sqs.queues[QUEUE]] == [sorted(ten), []]


def test_a_rate_limit_is_kept() -> None:
    sqs = FakeSQS()
    sqs.put(DLQ, *(str(number) for number in range(25)))
    slept: list[float] = []
    _copying(sqs, rate=5, sleeps=slept).run(25, _quietly)
    assert sum(slept) == pytest.approx(25 / 5)
    assert max(sqs.sent_batches) == 5


def test_messages_in_another_readers_hands_are_said_to_be_there() -> None:
    sqs = FakeSQS()
    sqs.put(DLQ, "a", "b", "c")
    sqs.queues[DLQ][1]["hidden"] = True
    done = redrive(pipeline(sqs=sqs), rate=None, progress=_quietly)
    assert (done.moved, done.remaining, done.hidden) == (2, 1, 1)
    assert done.balances


def test_a_count_with_a_message_missing_does_not_balance() -> None:
    assert not Redriven("task", before=10, moved=4, remaining=5).balances
    assert Redriven("task", before=10, moved=4, remaining=7).arrived == 1
