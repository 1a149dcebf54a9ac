"""Move messages by receive, send and delete, for endpoints without SQS's message move task.

A killed move leaves a message in both queues, never in none. The copy names the original message and signs
it, so that the function treats a second copy as a redelivery.
"""

import time
from collections.abc import Callable
from typing import Any

import contract
from producer.send.batching import batched
from tools.core import queues
from tools.core.origins import Origins
from tools.ops.recover import outgoing
from tools.ops.recover.outgoing import OutgoingMessage

# The visibility timeout of received messages.
HOLD_SECONDS = 60


class MessageMover:
    """Receives, sends and deletes messages until those that were there at the start are moved."""

    def __init__(
        self,
        sqs: Any,
        origins: Origins,
        source: str,
        destination: str,
        rate: int | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._sqs = sqs
        self._signer = origins
        self._source = source
        self._destination = destination
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._origins: set[str] = set()
        self._not_moved: list[str] = []
        self.moved = 0
        self.returned: set[str] = set()
        self.refused: dict[str, str] = {}

    def run(self, before: int, progress: Callable[[int], None]) -> None:
        """Move up to ``before`` messages, because messages that fail again must not be moved in a loop."""
        started = self._clock()
        empty_responses = 0
        try:
            # The second empty response covers messages that another reader has just released.
            while self.moved + len(self.refused) < before and empty_responses < 2:
                count = min(10, before - self.moved - len(self.refused))
                messages = self._receive(min(count, self._rate or count))
                empty_responses = 0 if messages else empty_responses + 1
                self._move(messages)
                progress(self.moved)
                if self._rate:
                    ahead = self.moved / self._rate - (self._clock() - started)
                    self._sleep(max(0.0, ahead))
        finally:
            queues.release(self._sqs, self._source, self._not_moved)

    def _receive(self, count: int) -> list[dict[str, Any]]:
        response = self._sqs.receive_message(
            QueueUrl=self._source,
            MaxNumberOfMessages=count,
            VisibilityTimeout=HOLD_SECONDS,
            WaitTimeSeconds=1,
            MessageAttributeNames=["All"],
        )
        messages: list[dict[str, Any]] = response.get("Messages", [])
        return messages

    def _move(self, messages: list[dict[str, Any]]) -> None:
        receipts: dict[str, str] = {}
        origins: dict[str, str] = {}
        copies: list[OutgoingMessage] = []
        for message in messages:
            copy, origin = _copy_of(message, self._signer)
            receipts[copy.key], origins[copy.key] = message["ReceiptHandle"], origin
            if origin in self._origins:
                self.returned.add(copy.key)
                self._not_moved.append(message["ReceiptHandle"])
            else:
                copies.append(copy)
        for batch in batched(copies):
            refused = outgoing.send(self._sqs, self._destination, batch)
            for copy in batch:
                if copy.key in refused:
                    self._not_moved.append(receipts[copy.key])
            self.refused.update(refused)
            deleted = self._delete([copy for copy in batch if copy.key not in refused], receipts)
            self.moved += len(deleted)
            self._origins.update(origins[copy.key] for copy in deleted)

    def _delete(self, sent: list[OutgoingMessage], receipts: dict[str, str]) -> list[OutgoingMessage]:
        if not sent:
            return []
        entries = [{"Id": str(index), "ReceiptHandle": receipts[copy.key]} for index, copy in enumerate(sent)]
        # A message that is not deleted is received and sent again later, with the same origin.
        failed = self._sqs.delete_message_batch(QueueUrl=self._source, Entries=entries).get("Failed", [])
        not_deleted = {int(entry["Id"]) for entry in failed}
        return [copy for index, copy in enumerate(sent) if index not in not_deleted]


def _copy_of(message: dict[str, Any], origins: Origins) -> tuple[OutgoingMessage, str]:
    """Return the copy of a dead-lettered message, and its origin.

    The copy names and signs its origin if SQS's limits allow that. A claimed origin is replaced.
    """
    message_id, body = message["MessageId"], message["Body"]
    content_hash = contract.content_hash(body)
    attributes = {name: _attribute(value) for name, value in message.get("MessageAttributes", {}).items()}
    origin = origins.origin_of(attributes, content_hash) or message_id
    copy = OutgoingMessage(message_id, body, attributes | origins.attributes(origin, content_hash))
    if copy.send_error is not None:
        # There is no room for the origin. If a redrive is killed between send and delete, the second copy
        # counts as a duplicate.
        copy = OutgoingMessage(message_id, body, attributes)
    return copy, origin


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    return {name: value[name] for name in ("DataType", "StringValue", "BinaryValue") if name in value}
