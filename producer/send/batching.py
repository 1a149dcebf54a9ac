"""Messages into requests that SQS takes."""

from collections.abc import Iterable, Iterator

from producer.generate.messages import Message

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html: entries of
# a batch; bytes of a message, and of a batch in all, bodies and attributes. The producer sends no attributes.
MAX_ENTRIES = 10
MAX_BYTES = 1_048_576


def batched(messages: Iterable[Message], max_entries: int = MAX_ENTRIES) -> Iterator[list[Message]]:
    """Group messages, in their order, into batches of at most ``max_entries`` and 1 MiB in all.

    Each message must fit by itself.
    """
    batch: list[Message] = []
    total = 0
    for message in messages:
        if batch and (len(batch) == max_entries or total + message.size > MAX_BYTES):
            yield batch
            batch, total = [], 0
        batch.append(message)
        total += message.size
    if batch:
        yield batch
