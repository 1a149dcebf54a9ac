from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from aws_http.connection import TransportError
from aws_http.errors import AwsError
from producer.errors import ProducerError
from producer.generate.messages import Message
from producer.send import sender
from producer.send.run_stats import RunStats
from producer.send.sender import MAX_ATTEMPTS, Sender
from tests.unit.producer.factories import message

# The original, because a fixture replaces it so that retries have no delay.
backoff_seconds = sender.backoff_seconds
Responder = Callable[[Sequence[Message]], dict[str, Any]]
BATCH = [message(number) for number in range(3)]


class FakeClient:
    """Gives the configured responses in order, and repeats the last one."""

    def __init__(self, *responses: Responder) -> None:
        self.responses = list(responses)
        self.sent: list[list[int]] = []

    def send_batch(self, batch: Sequence[Message]) -> dict[str, Any]:
        self.sent.append([each.number for each in batch])
        return self.responses[min(len(self.sent), len(self.responses)) - 1](batch)


def accept_all(batch: Sequence[Message]) -> dict[str, Any]:
    return {"Successful": [{"Id": str(n), "MessageId": f"id-{each.number}"} for n, each in enumerate(batch)]}


def raise_error(status: int, code: str) -> Responder:
    def respond(batch: Sequence[Message]) -> dict[str, Any]:
        raise AwsError(code, "", status=status)

    return respond


def fail_entries(*positions: int, code: str = "InternalError", sender_fault: bool = False) -> Responder:
    def respond(batch: Sequence[Message]) -> dict[str, Any]:
        accepted = accept_all(batch)["Successful"]
        return {
            "Successful": [entry for entry in accepted if int(entry["Id"]) not in positions],
            "Failed": [
                {"Id": str(position), "Code": code, "Message": "no", "SenderFault": sender_fault}
                for position in positions
            ],
        }

    return respond


def unreachable(*, never_connected: bool) -> Responder:
    def respond(batch: Sequence[Message]) -> dict[str, Any]:
        raise TransportError("http://sqs", ConnectionResetError(), never_connected=never_connected)

    return respond


def send(client: FakeClient, stats: RunStats | None = None, stop: threading.Event | None = None) -> RunStats:
    stats = stats or RunStats(None)
    Sender(client.send_batch, "http://sqs/0/q", stats, stop or threading.Event()).send(BATCH)
    return stats


def test_accepted_messages_are_counted() -> None:
    stats = send(FakeClient(accept_all))
    assert (stats.sent_total, stats.retries, stats.failures) == (3, 0, [])
    assert stats.bytes == sum(each.size for each in BATCH)


@pytest.mark.parametrize(
    "failure",
    [
        raise_error(400, "RequestThrottled"),
        raise_error(400, "ThrottlingException"),
        raise_error(400, "OverLimit"),
        raise_error(429, "TooManyRequests"),
        raise_error(500, "InternalError"),
        raise_error(503, "ServiceUnavailable"),
        unreachable(never_connected=False),
    ],
)
def test_a_retryable_error_is_retried(failure: Responder) -> None:
    client = FakeClient(failure, failure, accept_all)
    stats = send(client)
    assert (stats.sent_total, stats.retries) == (3, 6)
    assert client.sent == [[0, 1, 2]] * 3


def test_only_the_failed_entries_of_a_batch_are_sent_again() -> None:
    client = FakeClient(fail_entries(0, 2), fail_entries(1), accept_all)
    stats = send(client)
    assert client.sent == [[0, 1, 2], [0, 2], [2]]
    assert (stats.sent_total, stats.retries) == (3, 3)


def test_an_entry_without_a_result_is_sent_again() -> None:
    client = FakeClient(lambda batch: {"Successful": accept_all(batch)["Successful"][:1]}, accept_all)
    assert send(client).sent_total == 3
    assert client.sent == [[0, 1, 2], [1, 2]]


def test_an_entry_without_a_message_id_is_sent_again() -> None:
    client = FakeClient(
        lambda batch: {"Successful": [{"Id": "0"}, *accept_all(batch)["Successful"][1:]]}, accept_all
    )
    assert send(client).sent_total == 3
    assert client.sent == [[0, 1, 2], [0]]


def test_an_entry_with_a_sender_fault_is_not_sent_again() -> None:
    client = FakeClient(fail_entries(1, code="InvalidMessageContents", sender_fault=True))
    stats = send(client)
    assert len(client.sent) == 1
    assert stats.sent_total == 2
    assert [(failure.display_id, failure.reason) for failure in stats.failures] == [
        ("event-1", "InvalidMessageContents: no")
    ]


def test_a_throttled_entry_is_sent_again_even_with_a_sender_fault() -> None:
    stats = send(FakeClient(fail_entries(1, code="RequestThrottled", sender_fault=True), accept_all))
    assert stats.sent_total == 3


def test_a_message_that_always_fails_is_recorded_and_the_run_continues() -> None:
    stats = send(FakeClient(fail_entries(2), fail_entries(0)))
    assert [failure.display_id for failure in stats.failures] == ["event-2"]
    assert stats.sent_total == 2


def test_a_queue_that_accepts_nothing_in_all_attempts_ends_the_run() -> None:
    client, stats = FakeClient(raise_error(500, "InternalError")), RunStats(None)
    with pytest.raises(ProducerError, match="accepted no message"):
        send(client, stats)
    assert len(client.sent) == MAX_ATTEMPTS
    assert [failure.display_id for failure in stats.failures] == ["event-0", "event-1", "event-2"]


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
def test_a_permanent_error_ends_the_run_at_once_and_names_the_next_command(
    status: int, code: str, advice: str
) -> None:
    client, stats = FakeClient(raise_error(status, code)), RunStats(None)
    with pytest.raises(ProducerError, match=advice):
        send(client, stats)
    assert len(client.sent) == 1
    assert len(stats.failures) == 3


def test_a_queue_that_was_never_reachable_ends_the_run_at_once() -> None:
    client, stats = FakeClient(unreachable(never_connected=True)), RunStats(None)
    with pytest.raises(ProducerError, match="make up"):
        send(client, stats)
    assert len(client.sent) == 1
    assert stats.failures == []


def test_a_queue_that_is_unavailable_for_a_while_is_retried() -> None:
    stats = send(FakeClient(accept_all))
    client = FakeClient(unreachable(never_connected=True), unreachable(never_connected=True), accept_all)
    assert send(client, stats).sent_total == 6


def test_a_stop_between_attempts_leaves_the_remaining_messages_unsent() -> None:
    stop = threading.Event()
    stop.set()
    stats = send(FakeClient(fail_entries(1)), stop=stop)
    assert (stats.sent_total, stats.failures) == (2, [])


def test_the_backoff_grows_varies_and_is_capped() -> None:
    for attempt, longest in ((1, 0.2), (3, 0.8), (9, 5.0), (50, 5.0)):
        waits = [backoff_seconds(attempt) for _ in range(300)]
        assert all(0 <= wait <= longest for wait in waits)
        assert max(waits) - min(waits) > longest / 2
