from __future__ import annotations

import pytest

from tests.unit.tools.fakes import FakeDynamoDB, pipeline
from tools.core import tables


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
