"""Sends a batch: retries failed entries until SQS accepts them or attempts run out."""

import threading
from collections.abc import Callable, Sequence
from random import SystemRandom
from typing import Any

from aws_http.connection import TransportError
from aws_http.errors import NO_ANSWER, AwsError
from producer.errors import ProducerError
from producer.generate.messages import Message
from producer.send.run_stats import RunStats
from tools.core.aws_errors import DENIED, NOT_FOUND, REFUSED_CREDENTIALS, STALE_EXPORTS

# With the backoff below 11 s on average, 22 s at most: longer than a failover or an emulator's restart.
MAX_ATTEMPTS = 10
_BACKOFF_BASE_SECONDS, _BACKOFF_CAP_SECONDS = 0.1, 5.0
# Retryable errors of SQS that AwsError.retryable does not include.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html#API_SendMessageBatch_Errors
_RETRYABLE_CODES = {"KmsThrottled", "OverLimit"}

_random = SystemRandom()


SendBatch = Callable[[Sequence[Message]], dict[str, Any]]
"""Send a batch. Raises AwsError, TransportError or ProducerError."""


class Sender:
    """Sends batches over one connection. ``stop`` ends the wait between attempts."""

    def __init__(self, send_batch: SendBatch, queue_url: str, stats: RunStats, stop: threading.Event) -> None:
        self._send_batch = send_batch
        self._queue_url = queue_url
        self._stats = stats
        self._stop = stop

    def send(self, batch: Sequence[Message]) -> None:
        """Send a batch and record the result of each message.

        Messages that were neither accepted nor failed when ``stop`` was set remain unsent. Raises
        ProducerError when no further message can be sent.
        """
        successes_before = self._stats.successful_requests
        pending = list(batch)
        for attempt in range(1, MAX_ATTEMPTS + 1):
            pending, reason = self._attempt(pending)
            if not pending:
                return
            if attempt < MAX_ATTEMPTS:
                self._stats.record_retries(len(pending))
                if self._stop.wait(backoff_seconds(attempt)):
                    return
        self._stats.record_failed(pending, reason)
        if self._stats.successful_requests == successes_before:
            raise ProducerError(
                f"The queue accepted no message in {MAX_ATTEMPTS} attempts in a row: {reason}\n"
                "Sending has stopped."
            )

    def _attempt(self, pending: list[Message]) -> tuple[list[Message], str]:
        """Send once. Returns the messages to retry, and the reason."""
        try:
            response = self._send_batch(pending)
        except AwsError as error:
            if not _is_retryable(error):
                self._stats.record_failed(pending, str(error))
                raise ProducerError(explain_error(error, self._queue_url)) from None
            return pending, str(error)
        except TransportError as error:
            if error.never_connected and not self._stats.successful_requests:
                raise ProducerError(
                    f"The producer cannot reach {error}.\n"
                    "For the local stack, check it with make status and start it with make up. "
                    f"{STALE_EXPORTS}\n"
                    "For AWS, check the network, --queue-url, and that AWS_ENDPOINT_URL is not set."
                ) from None
            return pending, str(error)
        return self._record_response(pending, response)

    def _record_response(self, pending: list[Message], response: dict[str, Any]) -> tuple[list[Message], str]:
        message_ids = {
            entry.get("Id"): entry["MessageId"]
            for entry in response.get("Successful", ())
            if "MessageId" in entry
        }
        errors = {entry.get("Id"): _entry_error(entry) for entry in response.get("Failed", ())}
        accepted: list[tuple[Message, str]] = []
        retries: list[Message] = []
        reason = ""
        for position, message in enumerate(pending):
            entry_id = str(position)
            if entry_id in message_ids:
                accepted.append((message, message_ids[entry_id]))
                continue
            error = errors.get(entry_id) or AwsError(NO_ANSWER, "SQS did not report a result for the message")
            if _is_retryable(error):
                retries.append(message)
                reason = str(error)
            else:
                self._stats.record_failed([message], str(error))
        if accepted:
            self._stats.record_accepted(accepted)
        return retries, reason


def backoff_seconds(attempt: int) -> float:
    """Return the wait after attempt ``attempt``, counted from 1: exponential with full jitter.

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    return _random.uniform(0, min(_BACKOFF_CAP_SECONDS, _BACKOFF_BASE_SECONDS * 2**attempt))


def explain_error(error: AwsError, queue_url: str) -> str:
    """Explain a permanent error of SQS and name the command that helps."""
    if error.code in NOT_FOUND:
        return (
            f"There is no queue {queue_url}\n"
            'Use the queue of the running local stack: eval "$(make -s env)"\n'
            "For AWS, print the URL: terraform -chdir=terraform output -raw queue_url"
        )
    if error.code in REFUSED_CREDENTIALS:
        return (
            f"SQS does not accept the AWS credentials ({error}).\n"
            'For the local stack, type: eval "$(make -s env)"\n'
            "For AWS, log in again, for example: aws sso login"
        )
    if error.code in DENIED or error.status == 403:
        return (
            f"The AWS credentials do not allow sending to this queue ({error}).\n"
            "They need sqs:SendMessage on it. Check the identity: aws sts get-caller-identity"
        )
    return (
        f"SQS refuses the request ({error}).\n"
        "Sending has stopped because SQS would refuse the other messages as well."
    )


def _is_retryable(error: AwsError) -> bool:
    return error.retryable or error.status == 429 or error.code in _RETRYABLE_CODES


def _entry_error(entry: dict[str, Any]) -> AwsError:
    # SenderFault is to an entry what HTTP's status is to a request.
    status = 400 if entry.get("SenderFault") else 500
    return AwsError(str(entry.get("Code")), str(entry.get("Message", "")), status=status)
