"""The items that the function writes, in DynamoDB's JSON wire format, but for binary, which is bytes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Context, Decimal
from typing import Any

import contract
from contract.payload import key_of
from processor.messages import Message, iso

Item = dict[str, Any]

# 400 KB as stored, attribute names and values together (DynamoDB developer guide, "Service quotas").
ITEM_LIMIT = 400 * 1024
# The reasons of a rejected event may take this much of the item; what is over is counted, not listed.
_REASONS_LIMIT = 64 * 1024

# How many partitions a listing index (by type, large orders, newest rejections) is spread over. One partition
# takes 1,000 write units a second (DynamoDB developer guide, "Partitions and data distribution"), and a full
# index holds up its table. A reader asks all of them.
SHARDS = 8

_STORABLE = Context(prec=38)


def event_item(message: Message, *, large_order: bool) -> Item:
    """The item of a valid event: its summary, what the pipeline adds, and the payload."""
    event = message.event
    occurred_at = contract.parse_rfc3339(event["occurred_at"]) or message.processed_at
    latency = message.processed_at - occurred_at
    item: Item = {
        "event_id": {"S": event["event_id"]},
        "event_type": {"S": event["event_type"]},
        "customer_id": {"S": event["customer_id"]},
        "occurred_at": {"S": event["occurred_at"]},
        **_provenance(message),
        "processed_at": {"S": iso(message.processed_at)},
        # Clocks differ: an event that occurred 'after' it was processed was not early, just measured late.
        "ingest_latency_ms": {"N": str(max(0, latency // timedelta(milliseconds=1)))},
        "schema_version": {"S": contract.SCHEMA_VERSION},
        "type_bucket": {"S": bucket(event["event_type"], message.content_hash)},
    }
    if "amount" in event and event["event_type"] != "activity":
        item["amount"] = {"N": decimal_text(event["amount"])}
        item["currency"] = {"S": event["currency"]}
    if event["event_type"] == "order":
        item["large_order"] = {"BOOL": large_order}
        item["item_count"] = {"N": str(len(event["items"]))}
    if large_order:
        item["alert_pending"] = {"S": "large_order"}
        item["large_bucket"] = {"S": bucket("large", message.content_hash)}
    if message.replayed:
        item["replayed"] = {"BOOL": True}
    return item


def rejected_item(message: Message, kind: str, reasons: contract.Violations, retention_days: int) -> Item:
    """The item of a rejected event: why, and the payload. It expires after ``retention_days``."""
    expires = message.processed_at + timedelta(days=retention_days)
    item: Item = {
        **_provenance(message),
        "rejected_at": {"S": iso(message.processed_at)},
        "kind": {"S": kind},
        "reasons": {"L": _listed(reasons)},
        "violation_count": {"N": str(reasons.total)},
        # What the index of the newest rejections shows of the reasons.
        "summary": {"S": _summary(reasons)},
        "rules": {"SS": sorted({violation.rule for violation in reasons})},
        "expires_at": {"N": str(int(expires.timestamp()))},
        "alert_pending": {"S": kind},
        "bucket": {"S": bucket("rejected", message.content_hash)},
    }
    if message.event_id is not None:
        item["event_id"] = {"S": message.event_id}
    if message.event_type is not None:
        item["event_type"] = {"S": message.event_type}
    return item


def duplicate_item(message: Message, stored_hash: str, retention_days: int) -> Item:
    """The ledger row of a counted duplicate: which message it was, and what it was a copy of."""
    expires = message.processed_at + timedelta(days=retention_days)
    return {
        **_provenance(message),
        "event_id": {"S": message.event["event_id"]},
        "stored_content_hash": {"S": stored_hash},
        "recorded_at": {"S": iso(message.processed_at)},
        "expires_at": {"N": str(int(expires.timestamp()))},
    }


def bucket(name: str, content_hash: str) -> str:
    """The partition of a listing index that an item belongs to: ``order#5``."""
    return f"{name}#{int(content_hash[:8], 16) % SHARDS}"


def with_payload(item: Item, message: Message, *, rejected: bool) -> tuple[Item, str | None]:
    """Add the payload: in the item where it fits, else as a pointer to the S3 key that is returned."""
    whole = {**item, **message.payload.inline()}
    if size_of(whole) <= ITEM_LIMIT:
        return whole, None
    key = key_of(message.content_hash, rejected=rejected)
    return {**item, **message.payload.claim_check(key)}, key


def may_need_bucket(message: Message) -> bool:
    """Whether the payload may be too large for an item: half of one is more than all else that it holds."""
    return len(message.payload.data) > ITEM_LIMIT // 2


def size_of(item: Item) -> int:
    """Bytes that DynamoDB counts for an item, never less than it counts.

    Names and strings as UTF-8, binary as bytes, a number as half its digits plus at most 2, 3 for a list
    or a map and 1 for each element (DynamoDB developer guide, "DynamoDB item sizes and formats").
    """
    return sum(len(name.encode()) + _size_of_value(value) for name, value in item.items())


def _size_of_value(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "B":
        return len(content)
    if kind == "N":
        return len(content) // 2 + 3
    if kind == "SS":
        return sum(len(text.encode()) for text in content)
    if kind == "L":
        return 3 + sum(1 + _size_of_value(element) for element in content)
    if kind == "M":
        return 3 + len(content) + size_of(content)
    return 1


def _provenance(message: Message) -> Item:
    return {
        "message_id": {"S": message.identity},
        "content_hash": {"S": message.content_hash},
        "received_at": {"S": iso(message.received_at)},
    }


def _listed(reasons: contract.Violations) -> list[Any]:
    listed: list[Any] = []
    left = _REASONS_LIMIT
    for violation in reasons:
        reason = {"M": {name: {"S": _storable(text)} for name, text in violation._asdict().items()}}
        left -= _size_of_value(reason)
        if left < 0:
            break
        listed.append(reason)
    return listed


def _summary(reasons: contract.Violations) -> str:
    text = "; ".join(f"{violation.path} {violation.reason}" for violation in reasons[:5])
    return _storable(text)[:500]


def _storable(text: str) -> str:
    # A reason may quote what it found, and that may be half of a surrogate pair.
    return text.encode("utf-8", "backslashreplace").decode()


def decimal_text(amount: int | Decimal) -> str:
    """A valid amount as digits, without an exponent or trailing zeros: at most 34 digits and 4 decimals."""
    return f"{_STORABLE.normalize(Decimal(amount)):f}"
