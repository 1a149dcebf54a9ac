"""Factories of sent messages, stored rows, snapshots and rejected items."""

from __future__ import annotations

import hashlib
from typing import Any

from producer.manifest import SentMessage, SentRun
from tests.unit.tools.fakes import FakeDynamoDB
from tools.core.queues import QueuedMessage
from tools.ops.verify.archive import ArchiveCheck
from tools.ops.verify.result import VerifyResult
from tools.ops.verify.snapshot import Duplicate, Rejected, Snapshot, Stored


def digest(body: str) -> str:
    """Return the content hash of a body."""
    return hashlib.sha256(body.encode()).hexdigest()


def sent(message_id: str, body: str, expect: str = "stored", *, large: bool = False) -> SentMessage:
    """Return a message of a manifest. Its event_id is the body."""
    return SentMessage(message_id, body, "order", digest(body), expect, large)


def stored(message_id: str, body: str, **changes: Any) -> Stored:
    """Return a stored event. Its event_id is the body."""
    values = {
        "event_id": body,
        "event_type": "order",
        "content_hash": digest(body),
        "message_id": message_id,
        "large_order": False,
        "alert_pending": False,
        "replayed": False,
        "payload_key": None,
    }
    return Stored(**{**values, **changes})


def duplicate(message_id: str, body: str, stored_hash: str | None = None) -> Duplicate:
    """Return a duplicate of the stored event with this body."""
    return Duplicate(message_id, body, digest(body), stored_hash or digest(body))


def rejected(message_id: str, body: str, **changes: Any) -> Rejected:
    """Return a rejected event."""
    values = {
        "message_id": message_id,
        "kind": "invalid_event",
        "event_id": body,
        "content_hash": digest(body),
        "rule": "json",
        "alert_pending": False,
        "payload_key": None,
    }
    return Rejected(**{**values, **changes})


def queued(message_id: str, body: str) -> QueuedMessage:
    """Return a message in a queue."""
    return QueuedMessage(message_id, digest(body))


def snapshot(**contents: Any) -> Snapshot:
    """Return a snapshot of a pipeline with these contents alone."""
    empty: dict[str, Any] = {
        "stored": [],
        "duplicates": [],
        "rejected": [],
        "dead_lettered": [],
        "queued": [],
        "unseen": 0,
        "still": True,
        "objects": frozenset(),
    }
    return Snapshot(**{**empty, **contents})


def evaluate(
    contents: Snapshot, run: SentRun | None = None, *, archived: ArchiveCheck | None = None
) -> VerifyResult:
    """Return what verify says about these contents and this run."""
    result = VerifyResult(everything=True, archive=archived)
    result.check(contents, run)
    result.count(contents)
    return result


def put_rejected(dynamodb: FakeDynamoDB, message_id: str, body: bytes, reason: str = "is missing") -> None:
    """Put an item into the rejected table, newer than those before it."""
    dynamodb.put(
        "rejected",
        message_id={"S": message_id},
        rejected_at={"S": f"2026-11-23T00:00:0{len(dynamodb.tables['rejected'])}.000Z"},
        bucket={"S": f"rejected#{len(dynamodb.tables['rejected']) % 8}"},
        kind={"S": "invalid_event"},
        reasons={"L": [{"M": {"path": {"S": "$.a"}, "rule": {"S": "required"}, "reason": {"S": reason}}}]},
        rules={"SS": ["required"]},
        summary={"S": f"$.a {reason}"},
        payload={"B": body},
        payload_encoding={"S": "identity"},
    )
