"""Gets a batch through: sends it, then again what SQS did not take, until all is taken or hope is lost."""

import threading
from collections.abc import Sequence
from random import SystemRandom
from typing import Any, Protocol

from aws_http.connection import TransportError
from producer.errors import ProducerError
from producer.generate.messages import Message
from producer.send.sqs_client import Refused

# With the backoff below about 11 s on average, 22 s at most: longer than a failover or a restarted emulator.
MAX_ATTEMPTS = 10
_BACKOFF_BASE_SECONDS, _BACKOFF_CAP_SECONDS = 0.1, 5.0
# Errors that SQS answers with status 400 and that pass
# (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html).
_PASSING = {
    "RequestThrottled",
    "ThrottlingException",
    "Throttling",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "KmsThrottled",
    "OverLimit",
}
_NO_QUEUE = {"QueueDoesNotExist", "NonExistentQueue", "InvalidAddress"}
_BAD_CREDENTIALS = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "InvalidSecurity",
    "IncompleteSignature",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
}
_NO_ANSWER = {"Code": "NoAnswer", "Message": "SQS did not say what became of it"}
_DENIED = {"AccessDenied", "AccessDeniedException"}

_random = SystemRandom()


class QueueClient(Protocol):
    """What batches are sent over: see ``producer.send.sqs_client.QueueConnection``."""

    def send_batch(self, batch: Sequence[Message]) -> dict[str, Any]:
        """Send a batch; raises Refused, NoAnswer or ProducerError."""


class SendObserver(Protocol):
    """Where the fate of messages is written down. Its methods are called from several threads."""

    answers: int
    """How many requests SQS has answered with success so far."""

    def accepted(self, taken: Sequence[tuple[Message, str]]) -> None:
        """SQS took these messages, under these message ids."""

    def failed(self, messages: Sequence[Message], reason: str) -> None:
        """These messages cannot be sent."""

    def retried(self, messages: int) -> None:
        """So many messages are sent once more."""


class Sender:
    """Sends batches over one connection. ``stop`` ends the waiting between attempts."""

    def __init__(
        self, channel: QueueClient, queue_url: str, ledger: SendObserver, stop: threading.Event
    ) -> None:
        self._channel = channel
        self._queue_url = queue_url
        self._ledger = ledger
        self._stop = stop

    def send(self, batch: Sequence[Message]) -> None:
        """Send a batch and tell the ledger what became of each message.

        Messages that were neither accepted nor failed when ``stop`` was set are simply not sent. Raises
        ProducerError when it makes no sense to send anything more.
        """
        answers_before = self._ledger.answers
        pending = list(batch)
        for attempt in range(1, MAX_ATTEMPTS + 1):
            pending, reason = self._attempt(pending)
            if not pending:
                return
            if attempt < MAX_ATTEMPTS:
                self._ledger.retried(len(pending))
                if self._stop.wait(backoff_seconds(attempt)):
                    return
        self._ledger.failed(pending, reason)
        if self._ledger.answers == answers_before:
            raise ProducerError(
                f"The queue has taken nothing for {MAX_ATTEMPTS} attempts in a row: {reason}\n"
                "Sending has stopped."
            )

    def _attempt(self, pending: list[Message]) -> tuple[list[Message], str]:
        """Send once. Returns what has to be sent again, and why."""
        try:
            answer = self._channel.send_batch(pending)
        except Refused as refusal:
            if refusal.status < 500 and refusal.status != 429 and refusal.code not in _PASSING:
                self._ledger.failed(pending, str(refusal))
                raise ProducerError(explain(refusal, self._queue_url)) from None
            return pending, str(refusal)
        except TransportError as problem:
            if problem.never_connected and not self._ledger.answers:
                raise ProducerError(
                    f"Nothing can be sent to {problem}.\n"
                    "For the local stack: see what runs with make status, start it with make up.\n"
                    "For AWS: check the network, --queue-url, and that AWS_ENDPOINT_URL is not set."
                ) from None
            return pending, str(problem)
        return self._settle(pending, answer)

    def _settle(self, pending: list[Message], answer: dict[str, Any]) -> tuple[list[Message], str]:
        taken = {
            entry.get("Id"): entry["MessageId"]
            for entry in answer.get("Successful", ())
            if "MessageId" in entry
        }
        refused = {entry.get("Id"): entry for entry in answer.get("Failed", ())}
        accepted: list[tuple[Message, str]] = []
        again: list[Message] = []
        reason = ""
        for place, message in enumerate(pending):
            entry_id = str(place)
            if entry_id in taken:
                accepted.append((message, taken[entry_id]))
                continue
            entry = refused.get(entry_id, _NO_ANSWER)
            why = f"{entry.get('Code')}: {entry.get('Message', '')}"
            if entry.get("SenderFault") and entry.get("Code") not in _PASSING:
                self._ledger.failed([message], why)
            else:
                again.append(message)
                reason = why
        if accepted:
            self._ledger.accepted(accepted)
        return again, reason


def backoff_seconds(attempt: int) -> float:
    """How long to wait after attempt ``attempt``, counted from 1: exponential with full jitter.

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    return _random.uniform(0, min(_BACKOFF_CAP_SECONDS, _BACKOFF_BASE_SECONDS * 2**attempt))


def explain(refusal: Refused, queue_url: str) -> str:
    """An error of SQS that will not pass, in words that say what to do."""
    if refusal.code in _NO_QUEUE:
        return (
            f"There is no queue {queue_url}\n"
            'For the local stack take the one that is up: eval "$(make -s env)"\n'
            "For AWS: terraform -chdir=terraform output -raw queue_url"
        )
    if refusal.code in _BAD_CREDENTIALS:
        return (
            f"SQS does not accept the AWS credentials ({refusal}).\n"
            'For the local stack type: eval "$(make -s env)"\n'
            "For AWS log in again, for example: aws sso login"
        )
    if refusal.code in _DENIED or refusal.status == 403:
        return (
            f"The AWS credentials may not send to this queue ({refusal}).\n"
            "They need sqs:SendMessage on it; see who you are with: aws sts get-caller-identity"
        )
    return f"SQS refuses the request ({refusal}).\nNothing more is sent, as the others would fare the same."
