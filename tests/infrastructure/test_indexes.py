"""The indexes are those that `make events` and `make rejected` read, and stay cheap to write."""

from __future__ import annotations

import pytest

from tests.infrastructure.monitoring import Monitoring
from tools.core.indexes import BY_CUSTOMER, BY_TYPE, LARGE_ORDERS, NEWEST_REJECTED, Index

EVENTS, REJECTED = "aws_dynamodb_table.events.name", "aws_dynamodb_table.rejected.name"
INDEXES = [
    (EVENTS, BY_CUSTOMER),
    (EVENTS, BY_TYPE),
    (EVENTS, LARGE_ORDERS),
    (REJECTED, NEWEST_REJECTED),
]
# What a listing shows, and what it may be narrowed by.
SHOWN = {
    EVENTS: {
        "event_id",
        "event_type",
        "customer_id",
        "received_at",
        "amount",
        "currency",
        "large_order",
        "ingest_latency_ms",
    },
    REJECTED: {
        "message_id",
        "rejected_at",
        "kind",
        "event_id",
        "event_type",
        "summary",
        "rules",
        "violation_count",
    },
}
TABLE_KEYS = {EVENTS: "event_id", REJECTED: "message_id"}
EACH = pytest.mark.parametrize(("table", "index"), INDEXES, ids=[index.name for _, index in INDEXES])


def test_every_index_is_read(monitoring: Monitoring) -> None:
    there_are = {(table, name) for table, indexes in monitoring.indexes().items() for name in indexes}
    assert there_are == {(table, index.name) for table, index in INDEXES}


@EACH
def test_an_index_has_the_keys_of_its_queries(monitoring: Monitoring, table: str, index: Index) -> None:
    written = monitoring.indexes()[table][index.name]
    assert (written["hash_key"], written["range_key"]) == (index.key, index.time)


@EACH
def test_an_index_has_the_attributes_of_a_listing(monitoring: Monitoring, table: str, index: Index) -> None:
    written = monitoring.indexes()[table][index.name]
    held = {TABLE_KEYS[table], index.key, index.time, *written["non_key_attributes"]}
    assert SHOWN[table] <= held


@EACH
def test_an_index_has_neither_payload_nor_reasons(monitoring: Monitoring, table: str, index: Index) -> None:
    written = monitoring.indexes()[table][index.name]
    assert written["projection_type"] == "INCLUDE"
    assert not {"payload", "payload_key", "reasons"} & set(written["non_key_attributes"])
