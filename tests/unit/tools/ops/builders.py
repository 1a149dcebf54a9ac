"""Evidence and manifests in a few words."""

from __future__ import annotations

import hashlib
from typing import Any

from tools.core.queues import QueuedMessage
from tools.ops.verify.manifest import Sent
from tools.ops.verify.snapshot import Duplicate, Rejected, Snapshot, Stored


def digest(body: str) -> str:
    """The content hash of a body."""
    return hashlib.sha256(body.encode()).hexdigest()


def sent(message_id: str, body: str, expect: str = "stored", *, large: bool = False) -> Sent:
    """A line of a manifest; the event_id is the body."""
    return Sent(message_id, body, "order", digest(body), expect, large)


def stored(message_id: str, body: str, **changes: Any) -> Stored:
    """A stored event; the event_id is the body."""
    values = {
        "event_id": body,
        "event_type": "order",
        "content_hash": digest(body),
        "message_id": message_id,
        "large_order": False,
        "alert_pending": False,
        "replayed": False,
        "payload_key": None,
        "body_bytes": len(body),
    }
    return Stored(**{**values, **changes})


def duplicate(message_id: str, body: str, stored_hash: str | None = None) -> Duplicate:
    """A counted duplicate of the event that is the body."""
    return Duplicate(message_id, body, digest(body), stored_hash or digest(body))


def rejected(message_id: str, body: str, **changes: Any) -> Rejected:
    """A rejected event."""
    values = {
        "message_id": message_id,
        "kind": "invalid_event",
        "event_id": body,
        "content_hash": digest(body),
        "rule": "json",
        "alert_pending": False,
        "payload_key": None,
        "body_bytes": len(body),
    }
    return Rejected(**{**values, **changes})


def waiting(message_id: str, body: str) -> QueuedMessage:
    """A message in a queue."""
    return QueuedMessage(message_id, digest(body))


def evidence(**found: Any) -> Snapshot:
    """A picture of a pipeline that holds this and nothing else."""
    nothing: dict[str, Any] = {
        "stored": [],
        "duplicates": [],
        "rejected": [],
        "dead_lettered": [],
        "queued": [],
        "unseen": 0,
        "still": True,
        "objects": frozenset(),
    }
    return Snapshot(**{**nothing, **found})
