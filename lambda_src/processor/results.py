"""The outcome of each message of a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from processor.alerts import Alert
from processor.messages import Message

STORED = "stored"
DUPLICATES = "duplicates"
REJECTED = "rejected"
REDELIVERED = "redelivered"
RETURNED = "returned"


class ItemKey(NamedTuple):
    """A table, the name of its partition key, and a value of it."""

    table: str
    name: str
    value: str


@dataclass(eq=False)
class MessageResult:
    """A message and its outcome, which is empty until it is known.

    ``in_events`` says that an event with this content is in the events table, by this message or another.
    ``pending`` is the item whose pending flag is cleared once ``alerts`` are published. ``copy_of`` is, of a
    duplicate, the content hash of the stored event.
    """

    message: Message
    outcome: str = ""
    why: str | None = None
    large_order: bool = False
    in_events: bool = False
    bytes_stored: int = 0
    alerts: list[Alert] = field(default_factory=list)
    pending: ItemKey | None = None
    copy_of: str = ""

    def return_to_queue(self, why: str) -> None:
        """Leave the message to SQS, which delivers it again after the visibility timeout."""
        self.outcome, self.why = RETURNED, why


def count_outcomes(results: Iterable[MessageResult]) -> dict[str, int]:
    """Count messages by outcome, and the large orders among the stored ones."""
    listed = list(results)
    counts = Counter(result.outcome for result in listed)
    outcomes = (STORED, DUPLICATES, REDELIVERED, REJECTED, RETURNED)
    large = sum(result.outcome == STORED and result.large_order for result in listed)
    return {"received": len(listed), **{name: counts[name] for name in outcomes}, "large_orders": large}
