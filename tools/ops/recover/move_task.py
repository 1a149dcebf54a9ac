"""Move dead-lettered messages with SQS's message move task."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from tools.core.aws_errors import code_of
from tools.core.errors import ToolError

# Messages a second (SQS API reference, StartMessageMoveTask).
MAX_RATE = 500
_UNSUPPORTED = {
    "InvalidAction",
    "AWS.SimpleQueueService.UnsupportedOperation",
    "UnsupportedOperation",
    "NotImplemented",
}
_POLL_SECONDS = 0.5


def is_supported(sqs: Any, source: str) -> bool:
    """Return whether this endpoint has message move tasks. ``source`` is the ARN of the dead-letter queue."""
    try:
        sqs.list_message_move_tasks(SourceArn=source, MaxResults=1)
    except ClientError as error:
        if code_of(error) in _UNSUPPORTED:
            return False
        raise
    return True


def run(sqs: Any, source: str, destination: str, rate: int | None, progress: Callable[[int], None]) -> int:
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
