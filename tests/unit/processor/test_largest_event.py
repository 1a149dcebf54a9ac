"""The largest valid event of each type, derived from the schema, fits everything that AWS limits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

import contract
from archiver.lines import event_line
from processor.alerts import ALERT_RULES
from storage.columns import EVENT_FIELDS
from tests import fakes
from tests.fakes import published_size, stored_size
from tests.unit.processor.conftest import Harness, record

# Bytes of a partition key and of a sort key (DynamoDB developer guide, "Constraints").
PARTITION_KEY, SORT_KEY = 2048, 1024
# Bytes of an SQS message id, of which the standard has 36 (SQS developer guide).
MESSAGE_ID = "m" * 100
ROCKET = "\U0001f680"  # 4 bytes in UTF-8, 12 in ASCII JSON
# By JSON path, where the schema has no value of its own that is the largest.
CHOSEN = {"$.occurred_at": "2026-11-22T14:03:07.123456789+05:30", "$.currency": "EUR"}


def largest(schema: Mapping[str, Any], path: str = "$") -> Any:
    """The largest value that a schema allows; of a list only one element."""
    schema = contract.resolve(schema)
    if path in CHOSEN:
        return CHOSEN[path]
    if "enum" in schema:
        return max(schema["enum"], key=len)
    if schema.get("type") == "string":
        return ROCKET * schema["maxLength"]
    if schema.get("type") in ("number", "integer"):
        return schema["exclusiveMaximum"] - (1 if schema["type"] == "integer" else Decimal("0.0001"))
    if schema.get("type") == "array":
        return [largest(schema["items"], f"{path}[]")]
    return {name: largest(below, f"{path}.{name}") for name, below in schema["properties"].items()}


def event_of(event_type: str) -> dict[str, Any]:
    event = {
        name: largest(field, f"$.{name}") for name, field in contract.declared_fields(event_type).items()
    }
    event["event_type"] = event_type
    if "items" in event:
        # The sum of the items is the amount, so the quantity of the largest price is 1.
        event["items"][0] |= {"quantity": 1, "unit_price": event["amount"]}
    return event


def body_of(event: dict[str, Any]) -> str:
    numbers: list[str] = []

    def number(value: Decimal) -> str:
        numbers.append(f"{value:f}")
        return f"@{len(numbers) - 1}@"

    text = json.dumps(event, default=number, ensure_ascii=False)
    for n, literal in enumerate(numbers):
        text = text.replace(f'"@{n}@"', literal)
    return text


@pytest.mark.parametrize("event_type", contract.EVENT_TYPES)
def test_the_largest_event_fits_its_item_its_keys_its_alert_and_its_line(
    harness: Harness, event_type: str
) -> None:
    harness.now = datetime(2026, 11, 22, 14, 4, tzinfo=UTC)
    events = [event_of(event_type) for _ in range(10)]
    for n, event in enumerate(events):
        event["event_id"] = event["event_id"][:-1] + chr(0x1F300 + n)
    bodies = [body_of(event) for event in events]
    assert harness.deliver(*(record(body, f"{n}{MESSAGE_ID[1:]}") for n, body in enumerate(bodies))) == []
    assert len(harness.events) == 10
    for item in harness.events.values():
        # Only the payload, which can move to S3, may come near the limit.
        assert stored_size({k: v for k, v in item.items() if k != "payload"}) < fakes.ITEM_LIMIT // 50
        texts = {name: len(value["S"].encode()) for name, value in item.items() if "S" in value}
        assert {name for name, size in texts.items() if size > SORT_KEY} == set()
        assert texts["event_id"] <= PARTITION_KEY
        line = event_line(item, harness.s3.objects.__getitem__)
        assert json.loads(line.text)["event_id"] == item["event_id"]["S"]
    assert all(sum(map(published_size, request)) <= 256 * 1024 for request in harness.sns.requests)
    if event_type == contract.ORDER:
        assert len(harness.sns.of_type("large_order")) == 10


def test_the_largest_rejections_fit_their_items_and_their_alerts(harness: Harness) -> None:
    """Paths and reasons may quote names and values that a sender chose."""
    key = json.dumps(ROCKET * 10_000)
    values = ",".join(f"{{{key}:{{{key}:1,{key}:2}},{key}:{{{key}:1,{key}:2}}}}" for _ in range(3))
    doubled = f'{{"event_type":{json.dumps(ROCKET * 10_000)},"event_id":"e","x":[{values}]}}'
    for n in range(10):
        body = doubled + " " * n
        assert harness.deliver(record(body, f"{n}{MESSAGE_ID[1:]}")) == []
    assert len(harness.rejected) == 10
    assert all(item["reasons"]["L"] for item in harness.rejected.values())
    assert all(stored_size(item) <= fakes.ITEM_LIMIT for item in harness.rejected.values())
    assert len(harness.sns.of_type("invalid_event")) == 10
    assert max(published_size(entry) for request in harness.sns.requests for entry in request) < 64_000


def test_every_alert_rule_is_among_those_that_were_measured() -> None:
    assert {rule.alert_type for rule in ALERT_RULES} == {"large_order", "invalid_event", "event_id_conflict"}


@pytest.mark.parametrize("amount", ['"abc"', "5", "null", "[]", '{"a": 1}', "1e400", "true"])
@pytest.mark.parametrize("name", ["amount", "currency", "items", "order_id", "large_order", "received_at"])
def test_a_field_that_a_type_does_not_declare_may_have_any_value(
    harness: Harness, name: str, amount: str
) -> None:
    body = body_of({**event_of("activity"), "event_id": "e1", "x": 0}).replace(
        '"x": 0', f'"{name}": {amount}'
    )
    assert harness.deliver(record(body, "m1")) == []
    item = harness.events["e1"]
    assert name not in item or name == "received_at"
    assert harness.body_of(item) == body


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("2026-11-22T14:03:07.250Z", "2026-11-22T14:03:07.250Z"),
        ("2026-11-22t14:03:07z", "2026-11-22T14:03:07.000Z"),
        ("2026-11-22T15:03:07.5+01:00", "2026-11-22T14:03:07.500Z"),
        ("2026-11-22T00:03:07.123456789-05:30", "2026-11-22T05:33:07.123456789Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"),
        ("2017-01-01T00:59:60.75+01:00", "2017-01-01T00:00:00.750Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ("2026-11-22T14:03:07-00:00", "2026-11-22T14:03:07.000Z"),
    ],
)
def test_a_timestamp_is_stored_archived_and_alerted_in_utc_and_kept_as_sent(
    harness: Harness, sent: str, stored: str
) -> None:
    body = body_of({**event_of("order"), "event_id": "e1", "occurred_at": sent})
    assert harness.deliver(record(body, "m1")) == []
    item = harness.events["e1"]
    assert item["occurred_at"] == {"S": stored}
    assert harness.sns.of_type("large_order")[0]["occurred_at"] == stored
    line = json.loads(event_line(item, harness.s3.objects.__getitem__).text)
    assert (line["occurred_at"], line["event"]["occurred_at"]) == (stored, sent)


def test_a_column_has_the_type_that_every_event_type_declares_for_its_field() -> None:
    kinds = {"number": "N", "integer": "N", "boolean": "BOOL", "string": "S", None: "S"}
    for column in EVENT_FIELDS:
        for event_type in contract.EVENT_TYPES:
            field = contract.declared_fields(event_type).get(column.name)
            assert field is None or kinds[field.get("type")] == column.type
