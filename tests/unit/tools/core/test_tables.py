from __future__ import annotations

import pytest

from tests.unit.tools.fakes import FakeDynamoDB, pipeline
from tools.core import tables
from tools.core.indexes import BY_CUSTOMER, newest_first


@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:4566"], ids=["AWS", "emulator"])
def test_a_scan_reads_every_item_once(endpoint: str | None) -> None:
    dynamodb = FakeDynamoDB()
    for number in range(11):
        dynamodb.put("events", event_id={"S": f"e-{number}"})
    resources = pipeline(endpoint=endpoint, dynamodb=dynamodb)
    pages = tables.scan(
        resources, "events", ["event_id"], lambda items: [item["event_id"]["S"] for item in items]
    )
    assert sorted(name for page in pages for name in page) == sorted(dynamodb.tables["events"])


@pytest.mark.parametrize("value", ["", "a" * 2_049, "\u4f60" * 683, "a\udcff"])
def test_a_value_that_no_key_can_have_is_not_asked_for(value: str) -> None:
    dynamodb = None  # would fail
    resources = pipeline(dynamodb=dynamodb)
    assert tables.get_item(dynamodb, "events", "event_id", value) is None
    assert list(tables.get_in_parallel(resources, "events", ["event_id"], "event_id", [value])) == []
    assert list(newest_first(dynamodb, "events", BY_CUSTOMER, [value])) == []
