from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from producer.send.batching import MAX_BYTES, MAX_ENTRIES, batched
from tests.unit.tools.fakes import QUEUE, FakeSQS, signed
from tools.ops.recover.outgoing import OutgoingMessage, send

# The names, types and values of both attributes count towards a message's size: 64 of them are the signature.
ORIGIN_BYTES = len("origin_message_id" + "String" + "id-1" + "origin_signature" + "String") + 64


def _no_sleep(_: float) -> None:
    pass


def test_a_message_at_the_size_limit_is_sendable_and_one_byte_more_is_not() -> None:
    fitting = OutgoingMessage("a", "x" * (MAX_BYTES - ORIGIN_BYTES), signed("id-1", ""))
    above = OutgoingMessage("a", "x" * (MAX_BYTES - ORIGIN_BYTES + 1), signed("id-1", ""))
    assert fitting.send_error is None
    assert above.send_error == "with its attributes it has 1,048,577 bytes; SQS accepts 1,048,576"


def test_size_is_counted_in_utf8_bytes() -> None:
    assert OutgoingMessage("a", "é" * 10).size == 20


def test_characters_that_sqs_does_not_accept_are_named() -> None:
    assert OutgoingMessage("a", "tab\t newline\n return\r é 😀").send_error is None
    for character, name in (
        ("\x00", "U+0000"),
        ("\x1b", "U+001B"),
        ("\ufffe", "U+FFFE"),
        ("\ud800", "U+D800"),
    ):
        assert name in (OutgoingMessage("a", f"x{character}").send_error or "")


def test_an_empty_body_is_not_sendable() -> None:
    assert "empty" in (OutgoingMessage("a", "").send_error or "")


def test_more_than_ten_attributes_are_not_sendable() -> None:
    attributes = {f"name-{number}": {"DataType": "String", "StringValue": "x"} for number in range(11)}
    assert "11 attributes" in (OutgoingMessage("a", "body", attributes).send_error or "")


@given(st.lists(st.integers(1, MAX_BYTES), max_size=40))
def test_batches_keep_every_message_in_order_within_both_limits(sizes: list[int]) -> None:
    messages = [OutgoingMessage(str(number), "x" * size) for number, size in enumerate(sizes)]
    grouped = list(batched(messages))
    assert [message for batch in grouped for message in batch] == messages
    assert all(1 <= len(batch) <= MAX_ENTRIES for batch in grouped)
    assert all(sum(message.size for message in batch) <= MAX_BYTES for batch in grouped)


def test_entries_that_failed_in_sqs_are_sent_again() -> None:
    sqs = FakeSQS()
    failures = iter([("InternalError", False)])
    sqs.failure_of = lambda entry: next(failures, None)
    assert send(sqs, QUEUE, [OutgoingMessage("a", "A"), OutgoingMessage("b", "B")], _no_sleep) == {}
    assert sorted(message["Body"] for message in sqs.queues[QUEUE]) == ["A", "B"]
    assert sqs.sent_batches == [2, 1]


def test_entries_that_sqs_refuses_are_reported_and_not_sent_again() -> None:
    sqs = FakeSQS()
    sqs.failure_of = lambda entry: ("InvalidMessageContents", True) if entry["MessageBody"] == "A" else None
    refused = send(sqs, QUEUE, [OutgoingMessage("a", "A"), OutgoingMessage("b", "B")], _no_sleep)
    assert refused == {"a": "InvalidMessageContents"}
    assert sqs.sent_batches == [2]


def test_sending_stops_after_five_attempts() -> None:
    sqs = FakeSQS()
    sqs.failure_of = lambda entry: ("InternalError", False)
    assert send(sqs, QUEUE, [OutgoingMessage("a", "A")], _no_sleep) == {"a": "InternalError"}
    assert sqs.sent_batches == [1] * 5
