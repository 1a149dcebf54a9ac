"""Send messages again, within the limits of SQS."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from producer.send.batching import MAX_BYTES, NOT_ALLOWED

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
MAX_ATTRIBUTES = 10
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A message to send. ``key`` identifies it for the caller."""

    key: str
    body: str
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Return the bytes that SQS counts: the body, and names, types and values of attributes."""
        return len(self.body.encode("utf-8", "surrogatepass")) + sum(
            len(name.encode()) + len(value["DataType"].encode()) + len(_value(value))
            for name, value in self.attributes.items()
        )

    @property
    def send_error(self) -> str | None:
        """Return the reason why SQS would refuse this message, or None."""
        if not self.body:
            return "the body is empty, and SQS accepts no empty message"
        if match := NOT_ALLOWED.search(self.body):
            return f"the body holds U+{ord(match[0]):04X}, a character that SQS does not accept"
        if len(self.attributes) > MAX_ATTRIBUTES:
            return f"it would have {len(self.attributes)} attributes; SQS accepts {MAX_ATTRIBUTES}"
        if self.size > MAX_BYTES:
            return f"with its attributes it has {self.size:,} bytes; SQS accepts {MAX_BYTES:,}"
        return None


def send(
    sqs: Any, queue_url: str, batch: list[OutgoingMessage], sleep: Callable[[float], None] = time.sleep
) -> dict[str, str]:
    """Send one batch, with retries. Return the messages that SQS did not accept: key to reason."""
    refused: dict[str, str] = {}
    failing: dict[str, str] = {}
    remaining = batch
    for attempt in range(_ATTEMPTS):
        if attempt:
            sleep(0.1 * 2**attempt)
        entries = [
            {"Id": str(index), "MessageBody": message.body, "MessageAttributes": dict(message.attributes)}
            for index, message in enumerate(remaining)
        ]
        failing, retries = {}, []
        for entry in sqs.send_message_batch(QueueUrl=queue_url, Entries=entries).get("Failed", []):
            message = remaining[int(entry["Id"])]
            reason = entry.get("Message") or entry["Code"]
            if entry["SenderFault"]:
                refused[message.key] = reason
            else:
                failing[message.key] = reason
                retries.append(message)
        if not retries:
            break
        remaining = retries
    return refused | failing


def _value(attribute: Mapping[str, Any]) -> bytes:
    if "BinaryValue" in attribute:
        return bytes(attribute["BinaryValue"])
    return str(attribute.get("StringValue", "")).encode()
