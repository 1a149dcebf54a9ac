"""Counts what became of messages, and keeps the manifest. Shared by all connections of a run."""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from producer.generate.messages import Message
from producer.manifest import Manifest


@dataclass(frozen=True)
class Failure:
    """A message that could not be sent: its event_id, or its content hash where it has none."""

    identity: str
    reason: str


@dataclass(frozen=True)
class Progress:
    """How far a run is after ``seconds``; all but ``retries`` and ``bytes`` count messages."""

    total: int
    sent: int
    failed: int
    retries: int
    bytes: int
    seconds: float


class RunStats:
    """Counters, and the manifest if there is one. Its methods may be called from any thread."""

    def __init__(self, manifest: Manifest | None) -> None:
        self._manifest = manifest
        self._lock = threading.Lock()
        self.answers = 0
        self.sent: Counter[str] = Counter()
        self.sent_total = 0
        self.large_orders = 0
        self.bytes = 0
        self.retries = 0
        self.failures: list[Failure] = []

    def accepted(self, taken: Sequence[tuple[Message, str]]) -> None:
        """SQS took these messages, under these message ids."""
        with self._lock:
            self.answers += 1
            self.sent_total += len(taken)
            for message, _ in taken:
                self.sent[message.kind] += 1
                self.bytes += message.size
                self.large_orders += message.large_order and message.expect == "stored"
            if self._manifest:
                self._manifest.record(taken)

    def failed(self, messages: Sequence[Message], reason: str) -> None:
        """These messages cannot be sent."""
        with self._lock:
            self.failures.extend(Failure(message.identity, reason) for message in messages)

    def retried(self, messages: int) -> None:
        """So many messages are sent once more."""
        with self._lock:
            self.retries += messages

    def progress(self, total: int, seconds: float) -> Progress:
        """How far the run is, of ``total`` messages."""
        return Progress(total, self.sent_total, len(self.failures), self.retries, self.bytes, seconds)
