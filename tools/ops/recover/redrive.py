"""`make redrive`: move dead-lettered messages back to the queue.

Uses SQS's message move task if the endpoint has one, else `tools.ops.recover.message_mover`.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from tools.core import queues
from tools.core.aws_errors import code_of
from tools.core.errors import ToolError
from tools.core.origins import Origins
from tools.core.resources import Resources
from tools.ops.recover.message_mover import MessageMover

# Of a message move task, a second (SQS API reference, StartMessageMoveTask).
MAX_RATE = 500
_UNSUPPORTED = {
    "InvalidAction",
    "AWS.SimpleQueueService.UnsupportedOperation",
    "UnsupportedOperation",
    "NotImplemented",
}
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
    if _has_tasks(sqs, source):
        moved = _run_task(sqs, source, _arn(sqs, resources.queue_url), rate, progress)
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


def _has_tasks(sqs: Any, source: str) -> bool:
    """Return whether this endpoint has message move tasks. ``source`` is the ARN of the dead-letter queue."""
    try:
        sqs.list_message_move_tasks(SourceArn=source, MaxResults=1)
    except ClientError as error:
        if code_of(error) in _UNSUPPORTED:
            return False
        raise
    return True


def _run_task(
    sqs: Any, source: str, destination: str, rate: int | None, progress: Callable[[int], None]
) -> int:
    """Start a move task, or wait for the running one. Return the number of messages that it moved.

    ``source`` and ``destination`` are ARNs, ``rate`` is messages a second. Ctrl-C cancels the task. Raises
    ToolError if the task fails.
    """
    previous = _newest_task(sqs, source)
    joined = previous.get("Status") in ("RUNNING", "CANCELLING")
    if not joined:
        limit = {"MaxNumberOfMessagesPerSecond": min(rate, MAX_RATE)} if rate else {}
        sqs.start_message_move_task(SourceArn=source, DestinationArn=destination, **limit)
    try:
        while True:
            task = _newest_task(sqs, source)
            # The list of tasks is eventually consistent and may still end with the previous one.
            if joined or task.get("StartedTimestamp") != previous.get("StartedTimestamp"):
                moved = int(task.get("ApproximateNumberOfMessagesMoved", 0))
                progress(moved)
                if _is_completed(task, moved):
                    return moved
            time.sleep(_POLL_SECONDS)
    except KeyboardInterrupt:
        handle = _newest_task(sqs, source).get("TaskHandle")
        if handle:
            sqs.cancel_message_move_task(TaskHandle=handle)
        raise


def _is_completed(task: dict[str, Any], moved: int) -> bool:
    status = task.get("Status")
    if status in ("FAILED", "CANCELLED"):
        raise ToolError(
            f"SQS's move task {status} after {moved:,} messages. {task.get('FailureReason', '')}".rstrip(),
            "The other messages are still dead-lettered. Try again: make redrive",
        )
    return bool(status == "COMPLETED")


def _newest_task(sqs: Any, source: str) -> dict[str, Any]:
    tasks = sqs.list_message_move_tasks(SourceArn=source, MaxResults=1).get("Results", [])
    return tasks[0] if tasks else {}
