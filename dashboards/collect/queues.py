"""Read the queues' counters from SQS."""

from __future__ import annotations

import time

from botocore.exceptions import BotoCoreError, ClientError

from dashboards.collect.runner import CollectResult
from dashboards.errors import describe_error
from dashboards.state import Depth
from dashboards.target import Target
from dashboards.values import NOT_READ_YET, Absent, Value
from tools.core import queues

# Dead letters change slowly, so their counter is read less often than the queue's.
_DEAD_LETTER_INTERVAL = 3.0


class Queues:
    """Reads the queue, and every few seconds the dead-letter queue, with GetQueueAttributes."""

    reading = "depth"
    source = "SQS"
    resource = "the queue"

    def __init__(self, target: Target, interval: float) -> None:
        self.interval = interval
        self._sqs = target.clients["sqs"]
        self._queue_url = target.queue_url
        self._dlq_url = target.dlq_url
        self._dead_letters: tuple[Value, str | None] = NOT_READ_YET, None
        self._dead_letters_read_at = float("-inf")

    def collect(self) -> CollectResult:
        """Read the counters."""
        depth = queues.depth(self._sqs, self._queue_url)
        now = time.time()
        if now - self._dead_letters_read_at >= _DEAD_LETTER_INTERVAL:
            self._dead_letters, self._dead_letters_read_at = self._count_dead_letters(), now
        dead_letters, error = self._dead_letters
        return CollectResult(Depth(now, depth.visible, depth.in_flight, depth.delayed, dead_letters), error)

    def _count_dead_letters(self) -> tuple[Value, str | None]:
        try:
            return float(queues.depth(self._sqs, self._dlq_url).total), None
        except (BotoCoreError, ClientError) as error:
            description = describe_error(error, self.source, "the dead-letter queue")
            return Absent(description), description
