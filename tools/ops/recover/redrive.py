"""`make redrive`: move dead-lettered messages back to the queue.

Uses SQS's message move task if the endpoint has one, else `tools.ops.recover.message_mover`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.core import queues
from tools.core.origins import Origins
from tools.core.resources import Resources
from tools.ops.recover import move_task
from tools.ops.recover.message_mover import MessageMover

_POLL_SECONDS = 0.5

Progress = Callable[[int], None]


@dataclass(frozen=True)
class RedriveResult:
    """The message counts of a redrive. ``method`` is ``task`` or ``copy``.

    ``returned`` messages were moved and dead-lettered again meanwhile. ``refused`` has the reasons, by
    message id, why SQS did not accept messages. Both are part of ``remaining``.
    """

    method: str
    before: int
    moved: int
    remaining: int
    returned: int = 0
    refused: Mapping[str, str] = field(default_factory=dict)

    @property
    def added(self) -> int:
        """Return the number of newly dead-lettered messages; negative if others deleted some."""
        return self.remaining - (self.before - self.moved)

    @property
    def hidden(self) -> int:
        """Return the number of messages that another reader, perhaps a killed redrive, has received."""
        unread = self.before - self.moved - self.returned - len(self.refused)
        return max(0, unread) if self.method == "copy" else 0

    @property
    def is_balanced(self) -> bool:
        """Return whether all messages were moved or remain."""
        return self.added >= 0


def redrive(resources: Resources, *, rate: int | None, progress: Progress) -> RedriveResult:
    """Move all messages that are dead-lettered now, at up to ``rate`` messages a second.

    ``progress`` gets the number of moved messages. Raises ToolError if SQS's task fails.
    """
    sqs = resources.client("sqs")
    before = queues.depth(sqs, resources.dlq_url).total
    if before == 0:
        return RedriveResult("copy", 0, 0, 0)
    source = _arn(sqs, resources.dlq_url)
    if move_task.is_supported(sqs, source):
        moved = move_task.run(sqs, source, _arn(sqs, resources.queue_url), rate, progress)
        return RedriveResult("task", before, moved, _remaining(resources, before - moved))
    mover = MessageMover(sqs, Origins(resources), resources.dlq_url, resources.queue_url, rate)
    mover.run(before, progress)
    return RedriveResult(
        "copy",
        before,
        mover.moved,
        _remaining(resources, before - mover.moved),
        returned=len(mover.returned),
        refused=mover.refused,
    )


def _remaining(resources: Resources, expected: int) -> int:
    """Return the number of remaining messages. Waits briefly for the expected value."""
    sqs = resources.client("sqs")
    deadline = time.monotonic() + 2 * resources.quiet_seconds
    while True:
        remaining = queues.depth(sqs, resources.dlq_url).total
        if remaining == expected or time.monotonic() >= deadline:
            return remaining
        time.sleep(_POLL_SECONDS)


def _arn(sqs: Any, queue_url: str) -> str:
    response = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    arn: str = response["Attributes"]["QueueArn"]
    return arn
