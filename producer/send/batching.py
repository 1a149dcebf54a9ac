"""Groups messages into requests within SQS's limits."""

import re
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar


class Sized(Protocol):
    """Anything with a size in bytes, of its body and attributes together."""

    @property
    def size(self) -> int:
        """Bytes that count towards SQS's limits."""


SizedMessage = TypeVar("SizedMessage", bound=Sized)

# Entries of a batch; bytes of a message, and of all bodies and attributes of a batch.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
MAX_ENTRIES = 10
MAX_BYTES = 1_048_576
# SQS accepts the characters of XML 1.0.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
NOT_ALLOWED = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def batched(messages: Iterable[SizedMessage], max_entries: int = MAX_ENTRIES) -> Iterator[list[SizedMessage]]:
    """Group messages, in their order, into batches of at most ``max_entries`` and 1 MiB in total.

    No single message may exceed 1 MiB.
    """
    batch: list[SizedMessage] = []
    total = 0
    for message in messages:
        if batch and (len(batch) == max_entries or total + message.size > MAX_BYTES):
            yield batch
            batch, total = [], 0
        batch.append(message)
        total += message.size
    if batch:
        yield batch
