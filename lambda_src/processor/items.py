"""The items that the processor writes, without their payload, in DynamoDB's JSON."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import contract
from processor.messages import Message
from storage import attributes, keys
from storage.columns import EVENT_FIELDS
from storage.sizes import Item, decimal_text, value_size
from storage.timestamps import iso_millis

# The reasons of a rejected event may have this many bytes of the item; the others are only counted.
_MAX_REASONS_BYTES = 64 * 1024
_MAX_SUMMARY = 500
# By a column's type. A field of another type, which a contract may declare by that name, is only in the body.
COLUMN_VALUES: dict[str, set[type]] = {"S": {str}, "N": {int, Decimal}, "BOOL": {bool}}


def event_item(message: Message, *, large_order: bool, pending_alerts: Iterable[str] = ()) -> Item:
    """Return the item of a valid event: its queryable fields and what the pipeline adds.

    ``pending_alerts`` are the types of the alerts to publish once the item is stored.
    """
    event = message.event
    event_type = event["event_type"]
    item: Item = {
        column.name: _typed(column.type, event[column.name])
        for column in EVENT_FIELDS
        if column.name in event and type(event[column.name]) in COLUMN_VALUES[column.type]
    }
    item |= {
        **_provenance(message),
        "processed_at": {"S": iso_millis(message.processed_at)},
        "ingest_latency_ms": {"N": str(ingest_latency_ms(message))},
        "schema_version": {"S": contract.SCHEMA_VERSION},
        attributes.TYPE_SHARD: {"S": keys.shard_key(event_type, message.content_hash)},
    }
    if event_type == contract.ORDER:
        item["large_order"] = {"BOOL": large_order}
        item["item_count"] = {"N": str(len(event["items"]))}
    if large_order:
        item[attributes.LARGE_ORDER_SHARD] = {"S": keys.shard_key(keys.LARGE_ORDERS, message.content_hash)}
    if pending := ",".join(pending_alerts):
        item[attributes.ALERT_PENDING] = {"S": pending}
    if message.is_copy:
        item["replayed"] = {"BOOL": True}
    return item


def rejected_item(message: Message, kind: str, reasons: contract.Violations, retention_days: int) -> Item:
    """Return the item of a rejected event with its reasons. It expires after ``retention_days``."""
    item: Item = {
        **_provenance(message),
        "rejected_at": {"S": iso_millis(message.processed_at)},
        "kind": {"S": kind},
        "reasons": {"L": _listed(reasons)},
        "violation_count": {"N": str(reasons.total)},
        attributes.SUMMARY: {"L": _summary(reasons)},
        attributes.RULES: {"SS": sorted({violation.rule for violation in reasons})},
        attributes.EXPIRES_AT: _expires_at(message, retention_days),
        attributes.ALERT_PENDING: {"S": kind},
        attributes.REJECTED_SHARD: {"S": keys.shard_key(keys.REJECTED, message.content_hash)},
    }
    if message.event_id is not None:
        item["event_id"] = {"S": message.event_id}
    if message.event_type is not None:
        item["event_type"] = {"S": message.event_type}
    return item


def duplicate_item(message: Message, stored_hash: str, retention_days: int) -> Item:
    """Return the row of a counted duplicate: its message, and the content hash of the stored event."""
    return {
        **_provenance(message),
        "event_id": {"S": message.event["event_id"]},
        attributes.STORED_CONTENT_HASH: {"S": stored_hash},
        attributes.RECORDED_AT: {"S": iso_millis(message.processed_at)},
        attributes.EXPIRES_AT: _expires_at(message, retention_days),
    }


def ingest_latency_ms(message: Message) -> int:
    """Return the milliseconds from an event's occurrence to its processing, at least 0 as clocks differ."""
    occurred_at = contract.parse_rfc3339(message.event["occurred_at"]) or message.processed_at
    return max(0, (message.processed_at - occurred_at) // timedelta(milliseconds=1))


def _provenance(message: Message) -> Item:
    provenance = {
        "message_id": {"S": message.origin_id},
        "content_hash": {"S": message.content_hash},
        "received_at": {"S": iso_millis(message.received_at)},
    }
    if message.claimed_origin_id is not None:
        provenance[attributes.CLAIMED_ORIGIN] = {"S": _storable(message.claimed_origin_id)}
    return provenance


def _expires_at(message: Message, retention_days: int) -> dict[str, str]:
    expires = message.processed_at + timedelta(days=retention_days)
    return {"N": str(int(expires.timestamp()))}


def _typed(kind: str, value: Any) -> dict[str, Any]:
    return {kind: decimal_text(value) if kind == "N" else value}


def _listed(reasons: contract.Violations) -> list[Any]:
    listed: list[Any] = []
    left = _MAX_REASONS_BYTES
    for violation in reasons:
        reason = {"M": {name: {"S": _storable(text)} for name, text in violation._asdict().items()}}
        left -= value_size(reason)
        if left < 0:
            break
        listed.append(reason)
    return listed


def _summary(reasons: contract.Violations) -> list[Any]:
    summary: list[Any] = []
    left = _MAX_SUMMARY
    for violation in reasons[:5]:
        text = _storable(f"{violation.path} {violation.reason}")[:left]
        summary += [{"S": text}] if text else []
        left -= len(text)
    return summary


def _storable(text: str) -> str:
    # A reason may quote half of a surrogate pair.
    return text.encode("utf-8", "backslashreplace").decode()
