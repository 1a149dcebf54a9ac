from __future__ import annotations

from ops import rejections
from tests.unit.ops.fakes import FakeDynamoDB, pipeline
from tests.unit.ops.test_replay import _rejected


def _table() -> FakeDynamoDB:
    dynamodb = FakeDynamoDB()
    for message_id, reason in (
        ("first", "is missing"),
        ("second", "must be a number"),
        ("third", "Is Missing"),
    ):
        _rejected(dynamodb, message_id, b"{}", reason)
    dynamodb.tables["rejected"]["second"]["event_id"] = {"S": "evt-2"}
    return dynamodb


def _ids(dynamodb: FakeDynamoDB, **narrowed: str) -> list[str]:
    return [r.message_id for r in rejections.find(pipeline(dynamodb=dynamodb), **narrowed)]


def test_the_newest_comes_first() -> None:
    assert _ids(_table()) == ["third", "second", "first"]


def test_a_reason_narrows_by_text_rule_path_and_kind_in_any_case() -> None:
    assert _ids(_table(), reason="is MISSING") == ["third", "first"]
    assert _ids(_table(), reason="required") == ["third", "second", "first"]
    assert _ids(_table(), reason="$.a") == ["third", "second", "first"]
    assert _ids(_table(), reason="invalid_event") == ["third", "second", "first"]
    assert _ids(_table(), reason="conflict") == []


def test_one_is_found_by_its_message_id_and_by_its_event_id() -> None:
    assert _ids(_table(), some_id="first") == ["first"]
    assert _ids(_table(), some_id="evt-2") == ["second"]
    assert _ids(_table(), some_id="evt-3") == []


def test_an_item_of_the_barest_kind_can_be_listed() -> None:
    dynamodb = FakeDynamoDB()
    dynamodb.put("rejected", message_id={"S": "bare"})
    (bare,) = rejections.find(pipeline(dynamodb=dynamodb))
    assert (bare.event_id, bare.reasons, bare.violations) == (None, (), 0)


def test_unprocessed_keys_are_asked_for_again() -> None:
    dynamodb = _table()
    dynamodb.unprocessed_once = True
    there = rejections.still_there(pipeline(dynamodb=dynamodb), ["first", "gone", "third"])
    assert there == {"first", "third"}
