from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from aws_http.connection import TransportError
from producer.errors import ProducerError
from producer.generate.messages import Message
from producer.send import sender
from producer.send.run_stats import RunStats
from producer.send.sender import MAX_ATTEMPTS, Sender
from producer.send.sqs_client import Refused
from tests.unit.producer.making import message

# Taken before the fixture that makes retries follow at once.
backoff_seconds = sender.backoff_seconds
Answer = Callable[[Sequence[Message]], dict[str, Any]]
BATCH = [message(number) for number in range(3)]


class Channel:
    """Answers as told, the last answer again and again."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.sent: list[list[int]] = []

    def send_batch(self, batch: Sequence[Message]) -> dict[str, Any]:
        self.sent.append([each.number for each in batch])
        return self.answers[min(len(self.sent), len(self.answers)) - 1](batch)


def take_all(batch: Sequence[Message]) -> dict[str, Any]:
    return {"Successful": [{"Id": str(n), "MessageId": f"id-{each.number}"} for n, each in enumerate(batch)]}


def refuse(status: int, code: str) -> Answer:
    def answer(batch: Sequence[Message]) -> dict[str, Any]:
        raise Refused(status, code, "")

    return answer


def fail_entries(*places: int, code: str = "InternalError", sender_fault: bool = False) -> Answer:
    def answer(batch: Sequence[Message]) -> dict[str, Any]:
        everything = take_all(batch)["Successful"]
        return {
            "Successful": [entry for entry in everything if int(entry["Id"]) not in places],
            "Failed": [
                {"Id": str(place), "Code": code, "Message": "no", "SenderFault": sender_fault}
                for place in places
            ],
        }

    return answer


def unreachable(*, never_connected: bool) -> Answer:
    def answer(batch: Sequence[Message]) -> dict[str, Any]:
        raise TransportError("http://sqs", ConnectionResetError(), never_connected=never_connected)

    return answer


def send(channel: Channel, tally: RunStats | None = None, stop: threading.Event | None = None) -> RunStats:
    tally = tally or RunStats(None)
    Sender(channel, "http://sqs/0/q", tally, stop or threading.Event()).send(BATCH)
    return tally


def test_what_sqs_takes_is_counted() -> None:
    tally = send(Channel(take_all))
    assert (tally.sent_total, tally.retries, tally.failures) == (3, 0, [])
    assert tally.bytes == sum(each.size for each in BATCH)


@pytest.mark.parametrize(
    "trouble",
    [
        refuse(400, "RequestThrottled"),
        refuse(400, "ThrottlingException"),
        refuse(429, "TooManyRequests"),
        refuse(500, "InternalError"),
        refuse(503, "ServiceUnavailable"),
        unreachable(never_connected=False),
    ],
)
def test_a_trouble_that_passes_is_waited_out(trouble: Answer) -> None:
    channel = Channel(trouble, trouble, take_all)
    tally = send(channel)
    assert (tally.sent_total, tally.retries) == (3, 6)
    assert channel.sent == [[0, 1, 2]] * 3


def test_of_a_batch_only_what_failed_is_sent_again() -> None:
    channel = Channel(fail_entries(0, 2), fail_entries(1), take_all)
    tally = send(channel)
    assert channel.sent == [[0, 1, 2], [0, 2], [2]]
    assert (tally.sent_total, tally.retries) == (3, 3)


def test_an_entry_that_sqs_says_nothing_about_is_sent_again() -> None:
    channel = Channel(lambda batch: {"Successful": take_all(batch)["Successful"][:1]}, take_all)
    assert send(channel).sent_total == 3
    assert channel.sent == [[0, 1, 2], [1, 2]]


def test_an_entry_that_sqs_gives_no_message_id_is_sent_again() -> None:
    channel = Channel(
        lambda batch: {"Successful": [{"Id": "0"}, *take_all(batch)["Successful"][1:]]}, take_all
    )
    assert send(channel).sent_total == 3
    assert channel.sent == [[0, 1, 2], [0]]


def test_an_entry_at_fault_is_not_sent_again() -> None:
    channel = Channel(fail_entries(1, code="InvalidMessageContents", sender_fault=True))
    tally = send(channel)
    assert len(channel.sent) == 1
    assert tally.sent_total == 2
    assert [(failure.identity, failure.reason) for failure in tally.failures] == [
        ("event-1", "InvalidMessageContents: no")
    ]


def test_a_throttled_entry_is_sent_again_whoever_is_blamed() -> None:
    tally = send(Channel(fail_entries(1, code="RequestThrottled", sender_fault=True), take_all))
    assert tally.sent_total == 3


def test_what_never_gets_through_is_named_and_the_run_goes_on_while_others_do() -> None:
    tally = send(Channel(fail_entries(2), fail_entries(0)))
    assert [failure.identity for failure in tally.failures] == ["event-2"]
    assert tally.sent_total == 2


def test_a_queue_that_takes_nothing_for_all_attempts_ends_the_run() -> None:
    channel, tally = Channel(refuse(500, "InternalError")), RunStats(None)
    with pytest.raises(ProducerError, match="taken nothing"):
        send(channel, tally)
    assert len(channel.sent) == MAX_ATTEMPTS
    assert [failure.identity for failure in tally.failures] == ["event-0", "event-1", "event-2"]


@pytest.mark.parametrize(
    ("status", "code", "advice"),
    [
        (400, "QueueDoesNotExist", "make -s env"),
        (403, "InvalidClientTokenId", "aws sso login"),
        (403, "SignatureDoesNotMatch", "aws sso login"),
        (400, "ExpiredToken", "aws sso login"),
        (403, "AccessDeniedException", "sqs:SendMessage"),
        (400, "BatchRequestTooLong", "BatchRequestTooLong"),
    ],
)
def test_an_error_that_will_not_pass_ends_the_run_at_once_and_says_what_to_do(
    status: int, code: str, advice: str
) -> None:
    channel, tally = Channel(refuse(status, code)), RunStats(None)
    with pytest.raises(ProducerError, match=advice):
        send(channel, tally)
    assert len(channel.sent) == 1
    assert len(tally.failures) == 3


def test_a_queue_that_was_never_reached_ends_the_run_at_once() -> None:
    channel, tally = Channel(unreachable(never_connected=True)), RunStats(None)
    with pytest.raises(ProducerError, match="make up"):
        send(channel, tally)
    assert len(channel.sent) == 1
    assert tally.failures == []


def test_a_queue_that_goes_away_and_comes_back_is_waited_for() -> None:
    tally = send(Channel(take_all))
    channel = Channel(unreachable(never_connected=True), unreachable(never_connected=True), take_all)
    assert send(channel, tally).sent_total == 6


def test_a_stop_between_attempts_leaves_the_rest_unsent() -> None:
    stop = threading.Event()
    stop.set()
    tally = send(Channel(fail_entries(1)), stop=stop)
    assert (tally.sent_total, tally.failures) == (2, [])


def test_waiting_grows_is_spread_and_has_an_end() -> None:
    for attempt, most in ((1, 0.2), (3, 0.8), (9, 5.0), (50, 5.0)):
        waits = [backoff_seconds(attempt) for _ in range(300)]
        assert all(0 <= wait <= most for wait in waits)
        assert max(waits) - min(waits) > most / 2
