"""`make get`: one event exactly as it was sent, and what the pipeline added to it."""

from __future__ import annotations

import json

from tools.core import queues, tables
from tools.core.console import write_raw
from tools.core.errors import OpsError
from tools.core.resources import Resources
from tools.core.tables import Item
from tools.ops import rejections
from tools.ops.payloads import BodyLost, body_of, fetcher

# Attributes that repeat what the event itself says, so that it can be found by them, and the payload.
_NOT_ADDED = {"event_id", "event_type", "customer_id", "occurred_at", "amount", "currency", "payload"}


def show(resources: Resources, event_id: str) -> None:
    """Print a stored event as JSON: ``event``, byte for byte, and ``enrichment``. Raises OpsError."""
    item = _stored(resources, event_id)
    if item is None:
        raise _not_stored(resources, event_id)
    try:
        body = body_of(item, fetcher(resources))
    except BodyLost as lost:
        raise OpsError(
            f"Event {event_id} is stored, but {lost}.", "make verify checks all of them."
        ) from None
    write_raw(document(body, item))


def document(body: bytes, item: Item) -> bytes:
    """The JSON text that shows an event: the body stands in it byte for byte, numbers unread."""
    added = {name: value for name, value in item.items() if name not in _NOT_ADDED}
    lines = ",\n".join(
        f"    {json.dumps(name)}: {tables.as_json(value)}" for name, value in sorted(added.items())
    )
    return b'{\n  "event": ' + body + b',\n  "enrichment": {\n' + lines.encode() + b"\n  }\n}\n"


def _stored(resources: Resources, event_id: str) -> Item | None:
    answer = resources.client("dynamodb").get_item(
        TableName=resources.table_name, Key={"event_id": {"S": event_id}}, ConsistentRead=True
    )
    item: Item | None = answer.get("Item")
    return item


def _not_stored(resources: Resources, event_id: str) -> OpsError:
    rejected = rejections.find(resources, some_id=event_id)
    if rejected:
        newest = rejected[0]
        when = f"rejected at {newest.rejected_at} ({newest.kind})"
        return OpsError(
            f"Event {event_id} is not stored: it was {when}: {newest.summary}",
            f"make rejected ID={newest.message_id} shows it whole.",
        )
    waiting = queues.depth(resources.client("sqs"), resources.queue_url).total
    dead = queues.depth(resources.client("sqs"), resources.dlq_url).total
    elsewhere = (
        f" {waiting:,} messages wait in the queue, {dead:,} in the dead-letter queue."
        if waiting + dead
        else ""
    )
    return OpsError(
        f"There is no event {event_id}, neither stored nor rejected.{elsewhere}",
        "make logs EVENT_ID=... shows whether the function has seen it.",
    )
