"""Build archives in the layout that the archiver writes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import contract
from archiver.objects import ZSTD_SUFFIX
from storage import zstd

RECEIVED = "2026-11-22T14:03:07.123Z"


def event_line(event: str | dict[str, Any], **fields: Any) -> str:
    """Return a line of ``events/``. ``event`` is the event as sent; fields of None are left out.

    ``amount`` is the text of a JSON number, so that no digit is lost.
    """
    text = event if isinstance(event, str) else json.dumps(event)
    line = {
        "event_id": "e-1",
        "event_type": "order",
        "customer_id": "cust-1",
        "occurred_at": "2026-11-22T15:03:06+01:00",
        "received_at": RECEIVED,
        "processed_at": "2026-11-22T14:03:07.500Z",
        "ingest_latency_ms": 1500,
        "amount": None,
        "currency": None,
        "large_order": None,
        "item_count": None,
        "payload_bytes": len(text.encode()),
        "content_hash": "0" * 64,
        "schema_version": "1.0.0",
        "message_id": "m-1",
        "replayed": None,
    } | fields
    return "{" + ",".join([*_members(line), f'"event":{text}']) + "}"


def rejected_line(body: str, **fields: Any) -> str:
    """Return a line of ``rejected/``; fields of None are left out."""
    line = {
        "message_id": "m-1",
        "kind": "invalid_event",
        "event_id": None,
        "event_type": None,
        "received_at": RECEIVED,
        "rejected_at": "2026-11-22T14:03:07.500Z",
        "reasons": [{"path": "$.amount", "rule": "required", "reason": "is missing"}],
        "violation_count": 1,
        "content_hash": "0" * 64,
        "payload_bytes": len(body.encode()),
    } | fields
    return "{" + ",".join([*_members(line), f'"body":{json.dumps(body)}']) + "}"


def _members(line: dict[str, Any]) -> list[str]:
    texts = {
        name: value if name == "amount" else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        for name, value in line.items()
        if value is not None
    }
    return [f"{json.dumps(name)}:{text}" for name, text in texts.items()]


def write_object(directory: Path, key: str, *lines: str, members: int = 1) -> Path:
    """Write an object of these lines: of zstd if its key says so, else of ``members`` gzip members."""
    path = directory / key
    path.parent.mkdir(parents=True, exist_ok=True)
    data = "".join(line + "\n" for line in lines).encode()
    if key.endswith(ZSTD_SUFFIX):
        path.write_bytes(zstd.compress(data, 1))
        return path
    step = -(-len(data) // members)
    path.write_bytes(
        b"".join(gzip.compress(data[start : start + step], mtime=0) for start in range(0, len(data), step))
    )
    return path


def object_key(kind: str = "order", hour: str = "2026-11-22T14", name: str = "a") -> str:
    """Return the key of an object of one event type or rejection kind, or of duplicates."""
    prefix = f"events/type={kind}" if kind in contract.EVENT_TYPES else f"rejected/kind={kind}"
    prefix = kind if kind == "duplicates" else prefix
    return f"{prefix}/dt={hour[:10]}/hour={hour[11:]}/{name}.json.gz"
