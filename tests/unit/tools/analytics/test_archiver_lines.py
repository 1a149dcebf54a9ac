"""Events pass from the processor through the archiver to a query without a change."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from archiver.lines import event_line, rejected_line
from processor import items
from processor.messages import Message
from storage.attributes import INVALID_EVENT
from storage.payload import add_payload
from tools.analytics.database import open_archive

SENT = datetime(2026, 11, 22, 14, 3, 7, 123000, tzinfo=UTC)
NOW = datetime(2026, 11, 22, 14, 3, 8, tzinfo=UTC)
ORDER = {
    "event_id": "e-1",
    "event_type": "order",
    "occurred_at": "2026-11-22T15:03:06.5+01:00",
    "customer_id": 'cust "ü",1',
    "order_id": "ord-1",
    "currency": "EUR",
}
ITEMS = '"items":[{"sku":"a","quantity":1,"unit_price":AMOUNT}]'


def archive_body(directory: Path, body: str, *, large: bool = False) -> None:
    """Encode a body as the processor stores it, and write it as the archiver does."""
    record = {
        "messageId": "m-1",
        "body": body,
        "attributes": {"SentTimestamp": str(int(SENT.timestamp() * 1000))},
    }
    message = Message.read(record, NOW)
    if message.valid:
        item = items.event_item(message, large_order=large)
        line = event_line(
            add_payload(item, message.payload, message.content_hash, rejected=False)[0], _no_fetch
        )
    else:
        item = items.rejected_item(message, INVALID_EVENT, message.violations, 90)
        line = rejected_line(
            add_payload(item, message.payload, message.content_hash, rejected=True)[0], _no_fetch
        )
    path = directory / line.partition / "a.json.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress(line.text))


def _no_fetch(key: str) -> bytes:
    raise AssertionError(key)


def query(directory: Path, sql: str) -> Sequence[tuple[Any, ...]]:
    with open_archive(directory) as database:
        return database.query(sql).rows


@pytest.mark.parametrize("amount", ["0.1", "1e3", "123456789012345.6789", "1000.010"])
def test_a_query_returns_an_order_exactly_as_it_was_sent(tmp_path: Path, amount: str) -> None:
    body = (
        json.dumps(ORDER)[:-1]
        + f',"amount":{amount},{ITEMS.replace("AMOUNT", amount)},"x":{{"event":"}}"}}}}'
    )
    archive_body(tmp_path, body, large=True)
    ((event, archived_amount, customer, received, latency, large, count, size, kind),) = query(
        tmp_path,
        "select event, amount, customer_id, received_at, ingest_latency_ms, large_order, item_count, "
        "payload_bytes, type || dt || hour from events",
    )
    assert event == body
    assert archived_amount == Decimal(amount)
    assert (customer, received) == ('cust "ü",1', SENT.replace(tzinfo=None))
    assert (latency, large, count, size) == (1500, True, 1, len(body.encode()))
    assert kind == "order2026-11-2214"


def test_an_activity_has_no_amount(tmp_path: Path) -> None:
    activity = ORDER | {"event_type": "activity", "session_id": "s", "action": "page_view", "amount": 7}
    archive_body(tmp_path, json.dumps(activity, indent=1))
    assert query(tmp_path, "select amount, json_extract_scalar(event, '$.action') from events") == [
        (None, "page_view")
    ]


def test_a_query_returns_a_rejected_body_exactly_as_it_was_sent(tmp_path: Path) -> None:
    body = '{"event_id":"e-1",\n"body":"\\u0000", ü'
    archive_body(tmp_path, body)
    assert query(tmp_path, "select body, rules, kind, violation_count from rejected") == [
        (body, ["json"], "invalid_event", 1)
    ]
