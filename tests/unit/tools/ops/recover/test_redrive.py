from __future__ import annotations

from typing import Any

import pytest

from tests.unit.tools.fakes import DLQ, QUEUE, FakeSQS, pipeline, signed
from tools.core.errors import ToolError
from tools.core.origins import Origins
from tools.ops.recover.message_mover import MessageMover
from tools.ops.recover.redrive import RedriveResult, redrive


def _no_progress(count: int) -> None:
    pass


def _mover(sqs: FakeSQS, rate: int | None = None, sleeps: list[float] | None = None) -> MessageMover:
    slept = sleeps if sleeps is not None else []
    return MessageMover(
        sqs, Origins(pipeline()), DLQ, QUEUE, rate, clock=lambda: sum(slept), sleep=slept.append
    )


def _origins(sqs: FakeSQS) -> list[Any]:
    return [message["MessageAttributes"]["origin_message_id"]["StringValue"] for message in sqs.queues[QUEUE]]


def _attribute(text: str) -> dict[str, str]:
    return {"DataType": "String", "StringValue": text}


def test_without_dead_letters_there_is_nothing_to_do() -> None:
    assert redrive(pipeline(sqs=FakeSQS()), rate=None, progress=_no_progress) == RedriveResult(
        "copy", 0, 0, 0
    )


def test_without_move_tasks_messages_are_copied_and_name_their_origin() -> None:
    sqs = FakeSQS()
    ids = sqs.put(DLQ, *(f"body-{number}" for number in range(23)))
    result = redrive(pipeline(sqs=sqs), rate=None, progress=_no_progress)
    assert (result.method, result.before, result.moved, result.remaining) == ("copy", 23, 23, 0)
    assert result.is_balanced
    assert _origins(sqs) == ids
    assert [message["Body"] for message in sqs.queues[QUEUE]] == [f"body-{number}" for number in range(23)]


def test_a_move_task_is_used_if_available_at_its_maximum_rate() -> None:
    sqs = FakeSQS()
    sqs.tasks = [{"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": 99, "StartedTimestamp": 1}]
    sqs.put(DLQ, "a", "b")
    result = redrive(pipeline(sqs=sqs), rate=900, progress=_no_progress)
    assert (result.method, result.moved, result.remaining) == ("task", 2, 0)
    request = sqs.tasks[0]["request"]
    assert request == {
        "SourceArn": "arn:events-dlq",
        "DestinationArn": "arn:events",
        "MaxNumberOfMessagesPerSecond": 500,
    }


def test_a_failed_task_is_reported_with_its_reason() -> None:
    sqs = FakeSQS()
    sqs.tasks = []
    sqs.put(DLQ, "a")

    def fail(**_: Any) -> None:
        assert sqs.tasks is not None
        sqs.tasks.insert(0, {"Status": "FAILED", "FailureReason": "AccessDenied", "StartedTimestamp": 1})

    sqs.start_message_move_task = fail  # type: ignore[method-assign]
    with pytest.raises(ToolError, match="AccessDenied"):
        redrive(pipeline(sqs=sqs), rate=None, progress=_no_progress)


def test_a_copy_keeps_its_attributes_and_its_first_origin() -> None:
    sqs = FakeSQS()
    attributes = {**signed("first", "a"), "tenant": _attribute("t1")}
    sqs.put(DLQ, "a", **attributes)
    _mover(sqs).run(1, _no_progress)
    (message,) = sqs.queues[QUEUE]
    assert message["MessageAttributes"] == attributes


def test_messages_that_only_claim_an_origin_are_each_moved_under_their_own_id() -> None:
    sqs = FakeSQS()
    claim = {**signed("victim", "another body"), "tenant": _attribute("t1")}
    ids = sqs.put(DLQ, "a", "b", "c", **claim)
    result = redrive(pipeline(sqs=sqs), rate=None, progress=_no_progress)
    assert (result.moved, result.returned) == (3, 0)
    assert [message["MessageAttributes"] for message in sqs.queues[QUEUE]] == [
        {**claim, **signed(message_id, body)} for message_id, body in zip(ids, "abc", strict=True)
    ]


def test_a_redrive_after_a_killed_one_sends_the_message_again_with_the_same_origin() -> None:
    sqs = FakeSQS()
    (first,) = sqs.put(DLQ, "a")

    def killed() -> None:
        raise KeyboardInterrupt

    sqs.before_delete = killed
    with pytest.raises(KeyboardInterrupt):
        _mover(sqs).run(1, _no_progress)
    assert len(sqs.queues[DLQ]) == 1
    sqs.queues[DLQ][0]["hidden"] = False  # the visibility timeout runs out
    sqs.before_delete = lambda: None
    _mover(sqs).run(1, _no_progress)
    assert sqs.queues[DLQ] == []
    assert _origins(sqs) == [first, first]


def test_a_message_that_is_dead_lettered_again_is_not_moved_again() -> None:
    sqs = FakeSQS()
    ids = sqs.put(DLQ, *"abcdefghijkl")

    def fails_again() -> None:
        sqs.queues[DLQ].insert(0, sqs.queues[QUEUE].pop(0))
        sqs.before_delete = lambda: None

    sqs.before_delete = fails_again
    mover = _mover(sqs)
    mover.run(12, _no_progress)
    assert mover.moved == 12
    assert len(mover.returned) == 1
    assert [message["hidden"] for message in sqs.queues[DLQ]] == [False]
    assert sorted(_origins(sqs)) == sorted(ids[1:])


def test_messages_that_sqs_refuses_stay_dead_lettered_and_visible() -> None:
    sqs = FakeSQS()
    first, _ = sqs.put(DLQ, "bad", "good")
    sqs.failure_of = lambda entry: ("InvalidMessageContents", True) if entry["MessageBody"] == "bad" else None
    result = redrive(pipeline(sqs=sqs), rate=None, progress=_no_progress)
    assert result.refused == {first: "InvalidMessageContents"}
    assert (result.moved, result.remaining) == (1, 1)
    assert result.is_balanced
    assert not sqs.queues[DLQ][0]["hidden"]


def test_a_message_without_room_for_an_attribute_is_moved_without_its_origin() -> None:
    sqs = FakeSQS()
    ten = {f"name-{number}": _attribute("x") for number in range(10)}
    sqs.put(DLQ, "full", **ten)
    sqs.put(DLQ, "x" * 1_048_576)
    _mover(sqs).run(2, _no_progress)
    assert [sorted(message["MessageAttributes"]) for message in sqs.queues[QUEUE]] == [sorted(ten), []]


def test_the_rate_limit_is_respected() -> None:
    sqs = FakeSQS()
    sqs.put(DLQ, *(str(number) for number in range(25)))
    slept: list[float] = []
    _mover(sqs, rate=5, sleeps=slept).run(25, _no_progress)
    assert sum(slept) == pytest.approx(25 / 5)
    assert max(sqs.sent_batches) == 5


def test_messages_that_another_reader_has_received_are_reported() -> None:
    sqs = FakeSQS()
    sqs.put(DLQ, "a", "b", "c")
    sqs.queues[DLQ][1]["hidden"] = True
    result = redrive(pipeline(sqs=sqs), rate=None, progress=_no_progress)
    assert (result.moved, result.remaining, result.hidden) == (2, 1, 1)
    assert result.is_balanced


def test_counts_with_a_missing_message_are_not_balanced() -> None:
    assert not RedriveResult("task", before=10, moved=4, remaining=5).is_balanced
    assert RedriveResult("task", before=10, moved=4, remaining=7).added == 1
