"""Read what the pipeline holds: stored, duplicate, rejected, dead-lettered and queued messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from storage import attributes
from storage.attributes import flag, number, required, text
from storage.keys import PAYLOAD_PREFIX
from tools.core import queues, tables
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
    body_bytes: int
    written_at: str = ""
    claims_origin: bool = False

    @classmethod
    def from_item(cls, item: Item) -> Stored:
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
            body_bytes=number(item, attributes.PAYLOAD_BYTES),
            written_at=text(item, "processed_at") or "",
            claims_origin=attributes.CLAIMED_ORIGIN in item,
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

    @classmethod
    def from_item(cls, item: Item) -> Duplicate:
        """Read an item of the duplicates table. Raises ValueError if the processor did not write it."""
        content_hash = required(item, attributes.CONTENT_HASH)
        return cls(
            message_id=required(item, attributes.MESSAGE_ID),
            event_id=required(item, attributes.EVENT_ID),
            content_hash=content_hash,
            stored_hash=text(item, attributes.STORED_CONTENT_HASH) or content_hash,
            claims_origin=attributes.CLAIMED_ORIGIN in item,
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
    body_bytes: int
    written_at: str = ""
    claims_origin: bool = False

    @classmethod
    def from_item(cls, item: Item) -> Rejected:
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
            body_bytes=number(item, attributes.PAYLOAD_BYTES),
            written_at=text(item, "rejected_at") or "",
            claims_origin=attributes.CLAIMED_ORIGIN in item,
        )


@dataclass(frozen=True)
class Snapshot:
    """The contents of the pipeline.

    ``queued`` and ``dead_lettered`` are the messages that could be read; ``unseen`` counts the others in the
    queues. ``still`` is whether no message was in the queue before and after. If ``bodies_kept`` is False,
    the content hashes are not those of the bodies that were sent. ``unreadable`` has the keys of items that
    the processor did not write as they are, and the reasons.
    """

    stored: list[Stored]
    duplicates: list[Duplicate]
    rejected: list[Rejected]
    dead_lettered: list[QueuedMessage]
    queued: list[QueuedMessage]
    unseen: int
    still: bool
    objects: frozenset[str]
    bodies_kept: bool = True
    unreadable: tuple[tuple[str, str], ...] = ()

    @property
    def rows(self) -> frozenset[Any]:
        """Return all rows and messages. Two snapshots with the same rows had no change between them."""
        queued = [("queued", each) for each in self.queued] + [("dead", each) for each in self.dead_lettered]
        return frozenset([*self.items, *self.duplicates, *queued, ("unseen", self.unseen)])

    @property
    def claimed_origins(self) -> int:
        """Return the number of messages that name an origin without a valid signature."""
        return sum(row.claims_origin for row in (*self.items, *self.duplicates))

    @property
    def items(self) -> list[Stored | Rejected]:
        """Return every item that has a body."""
        return [*self.stored, *self.rejected]


_COMMON = (attributes.CLAIMED_ORIGIN, attributes.MESSAGE_ID, attributes.EVENT_ID, attributes.CONTENT_HASH)
_WITH_BODY = (*_COMMON, attributes.ALERT_PENDING, attributes.PAYLOAD_KEY, attributes.PAYLOAD_BYTES)
_STORED = (*_WITH_BODY, "event_type", "large_order", "replayed", "processed_at")
_DUPLICATE = (*_COMMON, attributes.STORED_CONTENT_HASH)
_REJECTED = (*_WITH_BODY, "kind", "reasons[0]", "rejected_at")


def collect(resources: Resources) -> Snapshot:
    """Read the queues, then the tables, in the order in which messages pass them.

    A message that moves meanwhile is seen twice rather than not at all. Stored events come last: a duplicate
    is counted after its original is stored, and a replayed row is deleted after its event is.
    """
    sqs = resources.client("sqs")
    before = queues.depth(sqs, resources.queue_url).total
    queued = queues.peek(resources, resources.queue_url)
    dead = queues.depth(sqs, resources.dlq_url).total
    dead_lettered = queues.read_dead_letters(resources) if dead else []
    unreadable: list[tuple[str, str]] = []
    read = partial(_read, resources, unreadable)
    rejected = read(resources.rejected_table_name, attributes.MESSAGE_ID, _REJECTED, Rejected.from_item)
    duplicates = read(resources.duplicates_table_name, attributes.MESSAGE_ID, _DUPLICATE, Duplicate.from_item)
    stored = read(resources.table_name, attributes.EVENT_ID, _STORED, Stored.from_item)
    after = queues.depth(sqs, resources.queue_url).total
    has_claim_checks = any(item.payload_key for item in (*stored, *rejected))
    return Snapshot(
        stored=stored,
        duplicates=duplicates,
        rejected=rejected,
        dead_lettered=dead_lettered,
        queued=queued or [],
        unseen=(after if queued is None else 0) + max(0, dead - len(dead_lettered)),
        still=before == after == 0,
        objects=frozenset(_payload_keys(resources)) if has_claim_checks else frozenset(),
        bodies_kept=resources.bodies_kept,
        unreadable=tuple(unreadable),
    )


def _read(
    resources: Resources,
    unreadable: list[tuple[str, str]],
    table: str,
    key: str,
    names: Iterable[str],
    from_item: Callable[[Item], Any],
) -> list[Any]:
    def read_page(items: list[Item]) -> list[Any]:
        rows = []
        for item in items:
            try:
                rows.append(from_item(item))
            except Exception as error:  # noqa: BLE001 - an item written by hand must not end the command
                unreadable.append((text(item, key) or "?", f"{error} (in the table {table})"))
        return rows

    return [row for page in tables.scan(resources, table, names, read_page) for row in page]


def _payload_keys(resources: Resources) -> list[str]:
    pages = (
        resources.client("s3")
        .get_paginator("list_objects_v2")
        .paginate(Bucket=resources.payload_bucket, Prefix=PAYLOAD_PREFIX)
    )
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]
