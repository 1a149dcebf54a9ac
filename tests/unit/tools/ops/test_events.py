from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pytest

from tests.unit.tools.ops.fakes import FakeDynamoDB, pipeline
from tools.core.errors import UsageError
from tools.ops.inspect import events
from tools.ops.inspect.events import Wanted

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


def _ids(dynamodb: FakeDynamoDB, limit: int = 20, **wanted: Any) -> list[str]:
    found = events.find(pipeline(dynamodb=dynamodb), Wanted(**wanted), limit, NOW)
    return [item["event_id"]["S"] for item in islice(found, limit)]


@pytest.mark.parametrize(
    ("wanted", "index", "found"),
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
        ({"customer": "nobody"}, "by_customer", ""),
        ({"seconds": 56 * 60}, "by_type", "13 5 4"),
        ({"customer": "anna", "seconds": 56 * 60}, "by_customer", "5 4"),
        ({"large": True, "seconds": 56 * 60}, "large_orders", "5"),
    ],
)
def test_what_is_wanted_comes_newest_first_from_the_index_for_it(
    dynamodb: FakeDynamoDB, wanted: dict[str, Any], index: str, found: str
) -> None:
    assert _ids(dynamodb, **wanted) == [f"e-{number}" for number in found.split()]
    assert {query["IndexName"] for query in dynamodb.queries} == {index}


def test_the_newest_few_of_many_are_had_in_a_few_pages() -> None:
    dynamodb = FakeDynamoDB()
    for number in range(60):
        _stored(dynamodb, number, "activity", "anna")
    assert _ids(dynamodb, limit=3, customer="anna") == ["e-59", "e-58", "e-57"]
    assert len(dynamodb.queries) == 2


def test_a_type_that_there_is_not_is_refused() -> None:
    with pytest.raises(UsageError, match="TYPE=refund is unknown"):
        Wanted(event_type="refund")


def test_nothing_but_an_order_is_large() -> None:
    with pytest.raises(UsageError, match="only orders are"):
        Wanted(event_type="payment", large=True)


def test_a_listing_says_what_a_person_wants_to_know(
    dynamodb: FakeDynamoDB, capsys: pytest.CaptureFixture[str]
) -> None:
    events.show(pipeline(dynamodb=dynamodb), Wanted(customer="anna"), limit=2, as_json=False)
    first, second, _, more = capsys.readouterr().out.splitlines()
    assert " ".join(first.split()) == "2026-11-23 11:05:00.000 order 1000.01 EUR large 120 ms anna e-5"
    assert " ".join(second.split()) == "2026-11-23 11:04:00.000 payment 1000.01 EUR 120 ms anna e-4"
    assert "there are more, LIMIT=10 shows them" in more


def test_json_is_one_object_a_line_with_numbers_as_they_are_stored(
    dynamodb: FakeDynamoDB, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    events.show(pipeline(dynamodb=dynamodb), Wanted(large=True), limit=20, as_json=True)
    lines = capsysbinary.readouterr().out.splitlines()
    assert [json.loads(line)["event_id"] for line in lines] == ["e-5", "e-3"]
    assert b'"amount": 1000.01' in lines[0]
    assert not [name for name in json.loads(lines[0]) if name.endswith("_bucket")]


def test_an_empty_listing_says_so(dynamodb: FakeDynamoDB, capsys: pytest.CaptureFixture[str]) -> None:
    events.show(pipeline(dynamodb=dynamodb), Wanted(customer="nobody"), limit=20, as_json=False)
    assert capsys.readouterr().out == "No such events are stored.\n"
