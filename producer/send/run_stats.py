"""Counts the results of a run and records them in its manifest. All connections of the run share it."""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from producer.generate.messages import STORED, Message
from producer.manifest import Manifest


@dataclass(frozen=True)
class Failure:
    """A message that could not be sent. ``display_id`` is `Message.display_id`."""

    display_id: str
    reason: str


@dataclass(frozen=True)
class Progress:
    """The state of a run after ``seconds``. All fields except ``bytes`` count messages.

    ``total`` is None if only the end of the input tells it.
    """

    total: int | None
    sent: int
    failed: int
    retries: int
    bytes: int
    seconds: float


class RunStats:
    """Counters, and the manifest if the run has one. Its methods may be called from any thread."""

    def __init__(self, manifest: Manifest | None) -> None:
        self._manifest = manifest
        self._lock = threading.Lock()
        self.successful_requests = 0
        self.sent: Counter[str] = Counter()
        self.sent_total = 0
        self.large_orders = 0
        self.bytes = 0
        self.retries = 0
        self.failures: list[Failure] = []

    def record_accepted(self, accepted: Sequence[tuple[Message, str]]) -> None:
        """Record messages that SQS accepted, each with its message id."""
        with self._lock:
            self.successful_requests += 1
            self.sent_total += len(accepted)
            for message, _ in accepted:
                self.sent[message.kind] += 1
                self.bytes += message.size
                self.large_orders += message.large_order and message.expect == STORED
            if self._manifest:
                self._manifest.record(accepted)

    def record_failed(self, messages: Sequence[Message], reason: str) -> None:
        """Record messages that cannot be sent."""
        with self._lock:
            self.failures.extend(Failure(message.display_id, reason) for message in messages)

    def record_retries(self, count: int) -> None:
        """Record that ``count`` messages are sent again."""
        with self._lock:
            self.retries += count

    def progress(self, total: int | None, seconds: float) -> Progress:
        """Return the state of the run, which has ``total`` messages."""
        return Progress(total, self.sent_total, len(self.failures), self.retries, self.bytes, seconds)
