"""Read what the pipeline holds: stored, duplicate, rejected, dead-lettered and queued messages."""

import json
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from typing import Any, Self

from storage import attributes
from storage.attributes import flag, required, text
from tools.core import queues
from tools.core.queues import QueuedMessage
from tools.core.resources import Resources
from tools.core.tables import Item
from tools.ops import rejections


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored event, without its payload."""

    event_id: str
    event_type: str
    content_hash: str
    message_id: str
    large_order: bool
    alert_pending: bool
    replayed: bool
    payload_key: str | None
    written_at: str = ""
    claims_origin: bool = False
    received_at: str = ""

    @classmethod
    def from_item(cls, item: Item) -> Self:
        """Read an item of the events table. Raises ValueError if the processor did not write it."""
        return cls(
            event_id=required(item, attributes.EVENT_ID),
            event_type=required(item, "event_type"),
            content_hash=required(item, attributes.CONTENT_HASH),
            message_id=required(item, attributes.MESSAGE_ID),
            large_order=flag(item, "large_order"),
            alert_pending=attributes.ALERT_PENDING in item,
            replayed=flag(item, "replayed"),
            payload_key=text(item, attributes.PAYLOAD_KEY),
            written_at=text(item, "processed_at") or "",
            claims_origin=attributes.CLAIMED_ORIGIN in item,
            received_at=text(item, "received_at") or "",
        )


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A duplicate: its own content hash, and that of the stored event.

    The hashes differ if only white space, key order or number formats do.
    """

    message_id: str
    event_id: str
    content_hash: str
    stored_hash: str
    claims_origin: bool = False
    written_at: str = ""
    received_at: str = ""

    @classmethod
    def from_item(cls, item: Item) -> Self:
        """Read an item of the duplicates table. Raises ValueError if the processor did not write it."""
        content_hash = required(item, attributes.CONTENT_HASH)
        return cls(
            message_id=required(item, attributes.MESSAGE_ID),
            event_id=required(item, attributes.EVENT_ID),
            content_hash=content_hash,
            stored_hash=text(item, attributes.STORED_CONTENT_HASH) or content_hash,
            claims_origin=attributes.CLAIMED_ORIGIN in item,
            written_at=text(item, attributes.RECORDED_AT) or "",
            received_at=text(item, "received_at") or "",
        )


@dataclass(frozen=True, slots=True)
class Rejected:
    """A rejected event, without its payload. ``rule`` is the first violated rule."""

    message_id: str
    kind: str
    event_id: str | None
    content_hash: str
    rule: str
    alert_pending: bool
    payload_key: str | None
    written_at: str = ""
    claims_origin: bool = False
    received_at: str = ""

    @classmethod
    def from_item(cls, item: Item) -> Self:
        """Read an item of the rejected table. Raises ValueError if the processor did not write it."""
        reasons = rejections.reasons_of(item)
        return cls(
            message_id=required(item, attributes.MESSAGE_ID),
            kind=required(item, "kind"),
            event_id=text(item, attributes.EVENT_ID),
            content_hash=required(item, attributes.CONTENT_HASH),
            rule=reasons[0].rule if reasons else "",
            alert_pending=attributes.ALERT_PENDING in item,
            payload_key=text(item, attributes.PAYLOAD_KEY),
            written_at=text(item, "rejected_at") or "",
            claims_origin=attributes.CLAIMED_ORIGIN in item,
            received_at=text(item, "received_at") or "",
        )


@dataclass(frozen=True)
class Queued:
    """The messages in the queues before the tables are read; ``queued`` is None if they cannot be listed.

    ``depth`` and ``dead`` are the lengths of the two queues.
    """

    queued: list[QueuedMessage] | None
    dead_lettered: list[QueuedMessage]
    depth: int
    dead: int

    @classmethod
    def read(cls, resources: Resources) -> Self:
        """Read the queues. Nothing is received from the events queue."""
        sqs = resources.client("sqs")
        depth = queues.depth(sqs, resources.queue_url).total
        queued = queues.peek(resources, resources.queue_url)
        dead = queues.depth(sqs, resources.dlq_url).total
        return cls(queued, queues.read_dead_letters(resources) if dead else [], depth, dead)

    def at(self, depth: int) -> dict[str, Any]:
        """Return a snapshot's members that describe the queues, given the depth of the events queue now."""
        unlisted = depth if self.queued is None else 0
        return {
            "queued": self.queued or [],
            "dead_lettered": self.dead_lettered,
            "unseen": unlisted + max(0, self.dead - len(self.dead_lettered)),
            "still": self.depth == depth == 0,
        }


@dataclass(frozen=True)
class Snapshot:
    """The contents of the pipeline, or a part of them that is complete for its events.

    ``queued`` and ``dead_lettered`` are the messages that could be read; ``unseen`` counts the others in the
    queues. ``still`` is whether no message was in the queue before and after. If ``bodies_kept`` is False,
    the content hashes are not those of the bodies that were sent. ``unreadable`` has the keys of items that
    the processor did not write as they are, and the reasons. ``objects`` are the keys in the payload bucket,
    None if the objects are read instead.
    """

    stored: list[Stored]
    duplicates: list[Duplicate]
    rejected: list[Rejected]
    dead_lettered: list[QueuedMessage]
    queued: list[QueuedMessage]
    unseen: int
    still: bool
    objects: Container[str] | None
    bodies_kept: bool = True
    unreadable: tuple[tuple[str, str], ...] = ()

    @property
    def claimed_origins(self) -> int:
        """Return the number of messages that name an origin without a valid signature."""
        return sum(row.claims_origin for row in (*self.items, *self.duplicates))

    @property
    def items(self) -> list[Stored | Rejected]:
        """Return every item that has a body."""
        return [*self.stored, *self.rejected]


_COMMON = (
    *(attributes.CLAIMED_ORIGIN, attributes.MESSAGE_ID, attributes.EVENT_ID, attributes.CONTENT_HASH),
    "received_at",
)
_WITH_BODY = (*_COMMON, attributes.ALERT_PENDING, attributes.PAYLOAD_KEY)


@dataclass(frozen=True)
class TableReader:
    """How a table is read: its name in a snapshot, its key and attributes, and how an item becomes a row."""

    name: str
    key: str
    attributes: tuple[str, ...]
    from_item: Callable[[Item], Any]

    def rows(self, table: str, items: Iterable[Item]) -> tuple[list[Any], list[tuple[str, str]]]:
        """Return the rows of items, and the keys of those that cannot be read, with the reasons."""
        rows, unreadable = [], []
        for item in items:
            try:
                rows.append(self.from_item(item))
            except Exception as error:  # noqa: BLE001 - an item written by hand must not end the command
                unreadable.append((text(item, self.key) or "?", f"{error} (in the table {table})"))
        return rows, unreadable


STORED = TableReader(
    "stored",
    attributes.EVENT_ID,
    (*_WITH_BODY, "event_type", "large_order", "replayed", "processed_at"),
    Stored.from_item,
)
DUPLICATE = TableReader(
    "duplicates",
    attributes.MESSAGE_ID,
    (*_COMMON, attributes.STORED_CONTENT_HASH, attributes.RECORDED_AT),
    Duplicate.from_item,
)
REJECTED = TableReader(
    "rejected", attributes.MESSAGE_ID, (*_WITH_BODY, "kind", "reasons[0]", "rejected_at"), Rejected.from_item
)


def to_text(row: Duplicate | Rejected) -> str:
    """Return a row as text, from which its class makes it again: ``Rejected(*json.loads(text))``."""
    return json.dumps([getattr(row, name) for name in row.__slots__])
