"""Items as the processor writes them, and stream records of them as Lambda hands them over."""

from __future__ import annotations

import json
import uuid
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from common.origin import ORIGIN_ATTRIBUTE, SIGNATURE_ATTRIBUTE, sign
from contract import content_hash
from processor.items import duplicate_item, event_item, rejected_item
from processor.messages import Message
from storage.payload import add_payload
from storage.sizes import Item

NOW = datetime(2026, 11, 22, 14, 3, 9, 500_000, UTC)
_KEY = "key"
SENT_MILLIS = int(datetime(2026, 11, 22, 14, 3, 7, 123_000, UTC).timestamp() * 1000)


def order(amount: str = "30.50", **changes: Any) -> str:
    """The body of a valid order with one item of this price."""
    event: dict[str, Any] = {
        "event_id": f"evt-{uuid.uuid4()}",
        "event_type": "order",
        "occurred_at": "2026-11-22T14:03:07.000Z",
        "customer_id": "cus-1",
        "order_id": "ord-1",
        "currency": "EUR",
        "amount": "@",
        "items": [{"sku": "sku-1", "quantity": 1, "unit_price": "@"}],
        **changes,
    }
    return json.dumps(event).replace('"@"', amount)


def message(body: str, origin: str | None = None) -> Message:
    """A message as the processor reads it."""
    values: dict[str, str] = {}
    if origin:
        signature = sign(_KEY, origin, content_hash(body))
        values = {ORIGIN_ATTRIBUTE: origin, SIGNATURE_ATTRIBUTE: signature}
    attributes = {name: {"stringValue": value, "dataType": "String"} for name, value in values.items()}
    record = {
        "messageId": f"msg-{uuid.uuid4()}",
        "body": body,
        "attributes": {"SentTimestamp": str(SENT_MILLIS)},
        "messageAttributes": attributes,
    }
    return Message.read(record, NOW, _KEY)


def stored(body: str, origin: str | None = None) -> Item:
    """The item of a valid event."""
    read = message(body, origin)
    assert read.valid, list(read.violations)
    return _streamed(
        add_payload(event_item(read, large_order=False), read.payload, read.content_hash, rejected=False)[0]
    )


def rejected(body: str) -> Item:
    """The item of an invalid event."""
    read = message(body)
    item = rejected_item(read, "invalid_event", read.violations, 90)
    return _streamed(add_payload(item, read.payload, read.content_hash, rejected=True)[0])


def duplicate(body: str) -> Item:
    """The item of a duplicate."""
    read = message(body)
    return duplicate_item(read, read.content_hash, 30)


def _streamed(item: Item) -> Item:
    """An item as a stream has it: bytes as base64 text."""
    if "payload" not in item:
        return item
    return {**item, "payload": {"B": b64encode(item["payload"]["B"]).decode()}}


def record(item: Mapping[str, Any], table: str = "events", number: int = 1, name: str = "INSERT") -> Any:
    """The record of a change, as the DynamoDB event source mapping sends it."""
    return {
        "eventID": f"change-{number}",
        "eventName": name,
        "eventSourceARN": f"arn:aws:dynamodb:us-east-1:000000000000:table/{table}/stream/2026-11-22",
        "dynamodb": {
            "ApproximateCreationDateTime": NOW.timestamp(),
            "SequenceNumber": f"{number:021d}",
            "NewImage": item,
        },
    }
