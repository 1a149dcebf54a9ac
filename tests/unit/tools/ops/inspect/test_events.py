from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pytest

from tests.unit.tools.fakes import FakeDynamoDB, pipeline
from tools.core.errors import UsageError
from tools.ops.inspect import events
from tools.ops.inspect.events import EventFilter

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def _stored(dynamodb: FakeDynamoDB, number: int, event_type: str, customer: str, amount: str = "") -> None:
    """Store the event e-<number>, received in that minute of the hour before `NOW`."""
    money: dict[str, Any] = {"amount": {"N": amount}, "currency": {"S": "EUR"}} if amount else {}
    large: dict[str, Any] = {}
    if event_type == "order":
        large = {"large_order": {"BOOL": float(amount) > 1000}}
        if float(amount) > 1000:
            large["large_bucket"] = {"S": f"large#{number % 8}"}
    dynamodb.put(
        "events",
        event_id={"S": f"e-{number}"},
        event_type={"S": event_type},
        type_bucket={"S": f"{event_type}#{number % 8}"},
        customer_id={"S": customer},
        received_at={"S": f"2026-11-23T11:{number:02d}:00.000Z"},
        ingest_latency_ms={"N": "120"},
        **money,
        **large,
    )


@pytest.fixture
def dynamodb() -> FakeDynamoDB:
    dynamodb = FakeDynamoDB()
    _stored(dynamodb, 1, "order", "anna", "10.10")
    _stored(dynamodb, 2, "activity", "anna")
    _stored(dynamodb, 3, "order", "bert", "2000")
    _stored(dynamodb, 4, "payment", "anna", "1000.01")
    _stored(dynamodb, 5, "order", "anna", "1000.01")
    _stored(dynamodb, 13, "order", "bert", "1")
    return dynamodb


def _ids(dynamodb: FakeDynamoDB, limit: int = 20, **criteria: Any) -> list[str]:
    matching = events.find(pipeline(dynamodb=dynamodb), EventFilter(**criteria), limit, NOW)
    return [item["event_id"]["S"] for item in islice(matching, limit)]


@pytest.mark.parametrize(
    ("criteria", "index", "expected"),
    [
        ({}, "by_type", "13 5 4 3 2 1"),
        ({"event_type": "order"}, "by_type", "13 5 3 1"),
        ({"event_type": "payment"}, "by_type", "4"),
        ({"large": True}, "large_orders", "5 3"),
        ({"large": True, "event_type": "order"}, "large_orders", "5 3"),
        ({"customer": "anna"}, "by_customer", "5 4 2 1"),
        ({"customer": "anna", "event_type": "order"}, "by_customer", "5 1"),
        ({"customer": "anna", "large": True}, "by_customer", "5"),
        ({"customer": "anna", "large": True, "event_type": "order"}, "by_customer", "5"),
        ({"customer": "other"}, "by_customer", ""),
        ({"seconds": 56 * 60}, "by_type", "13 5 4"),
        ({"customer": "anna", "seconds": 56 * 60}, "by_customer", "5 4"),
        ({"large": True, "seconds": 56 * 60}, "large_orders", "5"),
    ],
)
def test_matching_events_come_newest_first_from_the_best_index(
    dynamodb: FakeDynamoDB, criteria: dict[str, Any], index: str, expected: str
) -> None:
    assert _ids(dynamodb, **criteria) == [f"e-{number}" for number in expected.split()]
    assert {query["IndexName"] for query in dynamodb.queries} == {index}


def test_the_newest_few_events_are_listed_with_few_queries() -> None:
    dynamodb = FakeDynamoDB()
    for number in range(60):
        _stored(dynamodb, number, "activity", "anna")
    assert _ids(dynamodb, limit=3, customer="anna") == ["e-59", "e-58", "e-57"]
    assert len(dynamodb.queries) == 2


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(UsageError, match="TYPE=refund is unknown"):
        EventFilter(event_type="refund")


def test_a_type_that_is_never_large_is_refused() -> None:
    with pytest.raises(UsageError, match="only orders are"):
        EventFilter(event_type="payment", large=True)


def test_a_listing_shows_time_type_amount_latency_and_ids(
    dynamodb: FakeDynamoDB, capsys: pytest.CaptureFixture[str]
) -> None:
    events.show(pipeline(dynamodb=dynamodb), EventFilter(customer="anna"), limit=2, as_json=False)
    printed = capsys.readouterr()
    day, first, second = printed.out.splitlines()
    assert day == "2026-11-23 UTC"
    assert " ".join(first.split()) == "11:05:00.000 order 1000.01 EUR large 120 ms anna e-5"
    assert " ".join(second.split()) == "11:04:00.000 payment 1000.01 EUR 120 ms anna e-4"
    assert "there are more. Show more: LIMIT=10" in printed.err


def test_a_wide_row_breaks_between_its_fields(
    dynamodb: FakeDynamoDB, capsys: pytest.CaptureFixture[str]
) -> None:
    customer = "a-customer-with-quite-a-long-name-of-40"
    _stored(dynamodb, 6, "order", customer, "2000")
    events.show(pipeline(dynamodb=dynamodb), EventFilter(customer), limit=1, as_json=False)
    _, first, second = capsys.readouterr().out.splitlines()
    assert len(first) <= 80
    assert second.split()[-1] == "e-6"


@pytest.mark.parametrize("as_json", [True, False])
def test_a_truncated_listing_says_so_beside_its_rows(
    dynamodb: FakeDynamoDB, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    events.show(pipeline(dynamodb=dynamodb), EventFilter(), limit=3, as_json=as_json)
    assert "there are more" in capsys.readouterr().err


def test_json_is_one_object_a_line_with_numbers_as_they_are_stored(
    dynamodb: FakeDynamoDB, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    events.show(pipeline(dynamodb=dynamodb), EventFilter(large=True), limit=20, as_json=True)
    lines = capsysbinary.readouterr().out.splitlines()
    assert [json.loads(line)["event_id"] for line in lines] == ["e-5", "e-3"]
    assert b'"amount": 1000.01' in lines[0]
    assert not [name for name in json.loads(lines[0]) if name.endswith("_bucket")]


def test_an_empty_listing_prints_a_message(
    dynamodb: FakeDynamoDB, capsys: pytest.CaptureFixture[str]
) -> None:
    events.show(pipeline(dynamodb=dynamodb), EventFilter(customer="other"), limit=20, as_json=False)
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "No stored event matches.\n")
