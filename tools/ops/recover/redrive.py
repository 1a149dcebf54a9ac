"""`make redrive`: dead-lettered messages go back to the queue they came from.

By SQS's own message move task where the endpoint has one, elsewhere by copying, see `tools.ops.recover.message_mover`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.core import queues
from tools.core.resources import Resources
from tools.ops.recover import move_task
from tools.ops.recover.message_mover import MessageMover

_POLL_SECONDS = 0.5

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Redriven:
    """How the dead-letter queue was emptied. ``means`` is ``task`` or ``copy``.

    ``returned`` messages were moved and came back dead-lettered while this ran; ``refused`` says of others,
    by message id, why SQS would not take them. Both are among the ``remaining``.
    """

    means: str
    before: int
    moved: int
    remaining: int
    returned: int = 0
    refused: Mapping[str, str] = field(default_factory=dict)

    @property
    def arrived(self) -> int:
        """Messages that were dead-lettered meanwhile; below zero when someone else has taken some."""
        return self.remaining - (self.before - self.moved)

    @property
    def hidden(self) -> int:
        """Messages that were not to be had because another reader, perhaps a killed redrive, has them."""
        left = self.before - self.moved - self.returned - len(self.refused)
        return max(0, left) if self.means == "copy" else 0

    @property
    def balances(self) -> bool:
        """Whether no message is missing: what was there is moved or remains."""
        return self.arrived >= 0


def redrive(resources: Resources, *, rate: int | None, progress: Progress) -> Redriven:
    """Move everything that is dead-lettered now, at up to ``rate`` messages a second.

    ``progress`` is told how many have been moved. Raises OpsError when SQS's task fails.
    """
    sqs = resources.client("sqs")
    before = queues.depth(sqs, resources.dlq_url).total
    if before == 0:
        return Redriven("copy", 0, 0, 0)
    source = _arn(sqs, resources.dlq_url)
    if move_task.is_supported(sqs, source):
        moved = move_task.run(sqs, source, _arn(sqs, resources.queue_url), rate, progress)
        return Redriven("task", before, moved, _remaining(resources, before - moved))
    copying = MessageMover(sqs, resources.dlq_url, resources.queue_url, rate)
    copying.run(before, progress)
    return Redriven(
        "copy",
        before,
        copying.moved,
        _remaining(resources, before - copying.moved),
        returned=len(copying.returned),
        refused=copying.refused,
    )


def _remaining(resources: Resources, expected: int) -> int:
    """How many messages are left, once the counter has settled on what is expected or has had its time."""
    sqs = resources.client("sqs")
    deadline = time.monotonic() + 2 * resources.settle_seconds
    while True:
        left = queues.depth(sqs, resources.dlq_url).total
        if left == expected or time.monotonic() >= deadline:
            return left
        time.sleep(_POLL_SECONDS)


def _arn(sqs: Any, queue_url: str) -> str:
    found = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    arn: str = found["Attributes"]["QueueArn"]
    return arn
