"""What became of each message of a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from processor.alerts import Alert
from processor.messages import Message

STORED = "stored"
DUPLICATES = "duplicates"
REJECTED = "rejected"
REDELIVERED = "redelivered"
RETURNED = "returned"


@dataclass(eq=False)
class Work:
    """A message on its way through the batch."""

    message: Message
    outcome: str = ""
    why: str | None = None
    large_order: bool = False
    # Whether an event with this content is in the events table, by this message or by another one.
    in_events: bool = False
    bytes_stored: int = 0
    # An alert that this message owes, and the item whose mark is cleared once it is published.
    alert: Alert | None = None
    marked: tuple[str, str, str] | None = None
    # Of a duplicate: the hash of what is stored.
    copy_of: str | None = None

    def give_back(self, why: str) -> None:
        """Leave the message to SQS, which delivers it again after the visibility timeout."""
        self.outcome, self.why = RETURNED, why


def count(works: Iterable[Work]) -> dict[str, int]:
    """How many messages came to each outcome, and how many of the stored ones are large orders."""
    listed = list(works)
    counts = Counter(work.outcome for work in listed)
    outcomes = (STORED, DUPLICATES, REDELIVERED, REJECTED, RETURNED)
    large = sum(work.outcome == STORED and work.large_order for work in listed)
    return {"received": len(listed), **{name: counts[name] for name in outcomes}, "large_orders": large}
