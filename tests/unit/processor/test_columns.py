"""Fields of an event become columns of its item, whatever a contract declares under their names."""

from __future__ import annotations

import json
from typing import Any

import pytest

import contract
from processor import items
from storage.columns import EVENT_FIELDS, Column
from tests.unit.processor.conftest import Harness, record

ACTIVITY = {
    "event_id": "e1",
    "event_type": "activity",
    "occurred_at": "2026-11-22T14:03:07Z",
    "customer_id": "c1",
    "session_id": "s1",
    "action": "page_view",
}


def stored(harness: Harness, **fields: object) -> dict[str, Any]:
    body = json.dumps({**ACTIVITY, **fields})
    assert harness.deliver(record(body, "m1")) == []
    assert harness.body_of(harness.events["e1"]) == body
    return harness.events["e1"]


@pytest.mark.parametrize("value", ["abc", None, True, [1], {"a": 1}])
def test_a_field_of_another_type_than_its_column_is_only_in_the_body(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, value: object
) -> None:
    for name in ("amount", "currency"):
        monkeypatch.setitem(contract.declared_fields("activity"), name, {})
    assert not stored(harness, amount=value, currency=7).keys() & {"amount", "currency"}


@pytest.mark.parametrize(
    ("kind", "value", "attribute"),
    [("S", "yes", {"S": "yes"}), ("N", 2, {"N": "2"}), ("BOOL", False, {"BOOL": False})],
)
def test_a_column_that_is_added_is_copied_from_the_event(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, kind: str, value: object, attribute: dict[str, Any]
) -> None:
    monkeypatch.setattr(items, "EVENT_FIELDS", (*EVENT_FIELDS, Column("gift", kind, event=True)))
    monkeypatch.setitem(contract.declared_fields("activity"), "gift", {})
    assert stored(harness, gift=value)["gift"] == attribute


@pytest.mark.parametrize("column", EVENT_FIELDS, ids=lambda column: column.name)
def test_a_field_of_an_event_has_a_type_that_can_be_copied(column: Column) -> None:
    assert column.type in items.COLUMN_VALUES
