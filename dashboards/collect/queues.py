"""The queues' counters, from SQS."""

from __future__ import annotations

import time

from botocore.exceptions import BotoCoreError, ClientError

from dashboards.collect.runner import Seen
from dashboards.errors import error_text
from dashboards.state import Depth
from dashboards.target import Target
from dashboards.values import WAITING, Absent, Value
from tools.core import queues

# Dead letters come one by one and stay: they need not be counted every second.
_DEAD_SECONDS = 3.0


class Queues:
    """Reads the queue, and every few seconds the dead-letter queue, with GetQueueAttributes."""

    reading = "depth"
    source = "SQS"
    thing = "the queue"

    def __init__(self, target: Target, every: float) -> None:
        self.every = every
        self._sqs = target.clients["sqs"]
        self._queue_url = target.queue_url
        self._dlq_url = target.dlq_url
        self._dead: tuple[Value, str | None] = WAITING, None
        self._dead_at = float("-inf")

    def collect(self) -> Seen:
        """Read the counters."""
        depth = queues.depth(self._sqs, self._queue_url)
        at = time.time()
        if at - self._dead_at >= _DEAD_SECONDS:
            self._dead, self._dead_at = self._count_dead(), at
        dead, trouble = self._dead
        return Seen(Depth(at, depth.visible, depth.in_flight, depth.delayed, dead), trouble)

    def _count_dead(self) -> tuple[Value, str | None]:
        try:
            return float(queues.depth(self._sqs, self._dlq_url).total), None
        except (BotoCoreError, ClientError) as error:
            trouble = error_text(error, self.source, "the dead-letter queue")
            return Absent(trouble), trouble
