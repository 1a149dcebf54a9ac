"""Moving messages where SQS has no task for it: receive, send, delete, in that order.

A move that is killed leaves a message in both queues, never in none. The copy names its first message as its
origin, so that the function takes a second copy for a redelivery.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from processor.messages import ORIGIN_ATTRIBUTE
from tools.core import queues
from tools.ops.recover import outgoing
from tools.ops.recover.outgoing import OutgoingMessage

# How long a received message is kept from other readers: ample for sending ten and deleting ten.
HOLD_SECONDS = 60


class MessageMover:
    """Receive, send, delete, until what was there at the start is moved."""

    def __init__(
        self,
        sqs: Any,
        source: str,
        destination: str,
        rate: int | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._sqs = sqs
        self._source = source
        self._destination = destination
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._origins: set[str] = set()
        self._kept: list[str] = []
        self.moved = 0
        self.returned: set[str] = set()
        self.refused: dict[str, str] = {}

    def run(self, before: int, progress: Callable[[int], None]) -> None:
        """Move up to ``before`` messages: one that fails again meanwhile must not go in circles."""
        started = self._clock()
        empty = 0
        try:
            # The second empty answer is for messages that were in another reader's hands.
            while self.moved + len(self.refused) < before and empty < 2:
                wanted = min(10, before - self.moved - len(self.refused))
                messages = self._receive(min(wanted, self._rate or wanted))
                empty = 0 if messages else empty + 1
                self._move(messages)
                progress(self.moved)
                if self._rate:
                    ahead = self.moved / self._rate - (self._clock() - started)
                    self._sleep(max(0.0, ahead))
        finally:
            queues.release(self._sqs, self._source, self._kept)

    def _receive(self, count: int) -> list[dict[str, Any]]:
        answer = self._sqs.receive_message(
            QueueUrl=self._source,
            MaxNumberOfMessages=count,
            VisibilityTimeout=HOLD_SECONDS,
            WaitTimeSeconds=1,
            MessageAttributeNames=["All"],
        )
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        return messages

    def _move(self, messages: list[dict[str, Any]]) -> None:
        receipts: dict[str, str] = {}
        copies: list[OutgoingMessage] = []
        for message in messages:
            copy = _copy_of(message)
            receipts[copy.key] = message["ReceiptHandle"]
            if _origin(copy) in self._origins:
                self.returned.add(copy.key)
                self._kept.append(message["ReceiptHandle"])
            else:
                copies.append(copy)
        for batch in outgoing.batches(copies):
            refused = outgoing.send(self._sqs, self._destination, batch)
            for copy in batch:
                if copy.key in refused:
                    self._kept.append(receipts[copy.key])
            self.refused.update(refused)
            self._delete([copy for copy in batch if copy.key not in refused], receipts)

    def _delete(self, sent: list[OutgoingMessage], receipts: dict[str, str]) -> None:
        if not sent:
            return
        entries = [{"Id": str(index), "ReceiptHandle": receipts[copy.key]} for index, copy in enumerate(sent)]
        # One that is not deleted is received again later and sent again, under the same origin.
        failed = self._sqs.delete_message_batch(QueueUrl=self._source, Entries=entries).get("Failed", [])
        left = {int(entry["Id"]) for entry in failed}
        for index, copy in enumerate(sent):
            if index not in left:
                self.moved += 1
                self._origins.add(_origin(copy))


def _copy_of(message: dict[str, Any]) -> OutgoingMessage:
    """The message to send for a dead-lettered one: as it is, and naming its origin where that fits."""
    message_id = message["MessageId"]
    attributes = {name: _attribute(value) for name, value in message.get("MessageAttributes", {}).items()}
    named = OutgoingMessage(message_id, message["Body"], outgoing.origin_attribute(message_id) | attributes)
    if named.obstacle is None:
        return named
    # A message of 1 MiB to the byte, or of ten attributes, goes without: a second copy of it, after a
    # redrive was killed between send and delete, then counts as a duplicate.
    return OutgoingMessage(message_id, message["Body"], attributes)


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    return {name: value[name] for name in ("DataType", "StringValue", "BinaryValue") if name in value}


def _origin(copy: OutgoingMessage) -> str:
    origin: str = copy.attributes.get(ORIGIN_ATTRIBUTE, {}).get("StringValue", copy.key)
    return origin
