"""What is in the pipeline now: every stored, duplicate, rejected, dead-lettered and queued message."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tools.core import queues, tables
from tools.core.queues import QueuedMessage
from tools.core.resources import Resources
from tools.core.tables import Item
from tools.ops.rejections import Reason


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
    kept_at: str = ""

    @classmethod
    def of(cls, item: Item) -> Stored:
        """Read an item of the events table."""
        return cls(
            event_id=item["event_id"]["S"],
            event_type=tables.text(item, "event_type") or "",
            content_hash=tables.text(item, "content_hash") or "",
            message_id=tables.text(item, "message_id") or "",
            large_order=tables.flag(item, "large_order"),
            alert_pending="alert_pending" in item,
            replayed=tables.flag(item, "replayed"),
            payload_key=tables.text(item, "payload_key"),
            body_bytes=tables.number(item, "payload_bytes"),
            kept_at=tables.text(item, "processed_at") or "",
        )


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A counted duplicate: its own content, and that of the stored event of which it is a copy.

    The two differ where only white space, key order or the writing of numbers does.
    """

    message_id: str
    event_id: str
    content_hash: str
    stored_hash: str

    @classmethod
    def of(cls, item: Item) -> Duplicate:
        """Read an item of the duplicates table."""
        own = tables.text(item, "content_hash") or ""
        return cls(
            message_id=item["message_id"]["S"],
            event_id=tables.text(item, "event_id") or "",
            content_hash=own,
            stored_hash=tables.text(item, "stored_content_hash") or own,
        )


@dataclass(frozen=True, slots=True)
class Rejected:
    """A rejected event, without its payload; ``rule`` is the first rule that it broke."""

    message_id: str
    kind: str
    event_id: str | None
    content_hash: str
    rule: str
    alert_pending: bool
    payload_key: str | None
    body_bytes: int
    kept_at: str = ""

    @classmethod
    def of(cls, item: Item) -> Rejected:
        """Read an item of the rejected table."""
        first = [Reason.of(entry) for entry in item.get("reasons", {}).get("L", [])[:1]]
        return cls(
            message_id=item["message_id"]["S"],
            kind=tables.text(item, "kind") or "",
            event_id=tables.text(item, "event_id"),
            content_hash=tables.text(item, "content_hash") or "",
            rule=first[0].rule if first else "",
            alert_pending="alert_pending" in item,
            payload_key=tables.text(item, "payload_key"),
            body_bytes=tables.number(item, "payload_bytes"),
            kept_at=tables.text(item, "rejected_at") or "",
        )


@dataclass(frozen=True)
class Snapshot:
    """A picture of the pipeline.

    ``queued`` and ``dead_lettered`` are what was read of the queues; ``unseen`` counts messages that are in
    them but could not be read. ``still`` says that nothing moved while the picture was taken. Where
    ``bodies_kept`` is False, the content hashes are not those of what was sent.
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

    @property
    def kept(self) -> list[Stored | Rejected]:
        """Every item that keeps a body."""
        return [*self.stored, *self.rejected]


_STORED = (
    "event_id",
    "event_type",
    "content_hash",
    "message_id",
    "large_order",
    "alert_pending",
    "replayed",
    "payload_key",
    "payload_bytes",
    "processed_at",
)
_DUPLICATE = ("message_id", "event_id", "content_hash", "stored_content_hash")
_REJECTED = (
    "message_id",
    "kind",
    "event_id",
    "content_hash",
    "reasons[0]",
    "alert_pending",
    "payload_key",
    "payload_bytes",
    "rejected_at",
)


def collect(resources: Resources) -> Snapshot:
    """Read the queues and the tables, in the order in which messages move through them.

    So a message that moves meanwhile is seen twice rather than not at all.
    """
    sqs = resources.client("sqs")
    before = queues.depth(sqs, resources.queue_url).total
    queued = queues.peek(resources, resources.queue_url)
    dead = queues.depth(sqs, resources.dlq_url).total
    dead_lettered = queues.read_dead_letters(resources) if dead else []
    rejected = _read(resources, resources.rejected_table_name, _REJECTED, Rejected.of)
    stored = _read(resources, resources.table_name, _STORED, Stored.of)
    duplicates = _read(resources, resources.duplicates_table_name, _DUPLICATE, Duplicate.of)
    after = queues.depth(sqs, resources.queue_url).total
    claimed = any(item.payload_key for item in (*stored, *rejected))
    return Snapshot(
        stored=stored,
        duplicates=duplicates,
        rejected=rejected,
        dead_lettered=dead_lettered,
        queued=queued or [],
        unseen=(after if queued is None else 0) + max(0, dead - len(dead_lettered)),
        still=before == after == 0,
        objects=frozenset(_objects(resources)) if claimed else frozenset(),
        bodies_kept=resources.bodies_kept,
    )


def _read(
    resources: Resources, table: str, attributes: Iterable[str], of: Callable[[Item], Any]
) -> list[Any]:
    pages = tables.scan(resources, table, attributes, lambda items: [of(item) for item in items])
    return [row for page in pages for row in page]


def _objects(resources: Resources) -> list[str]:
    pages = (
        resources.client("s3")
        .get_paginator("list_objects_v2")
        .paginate(Bucket=resources.payload_bucket, Prefix="payloads/")
    )
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]
