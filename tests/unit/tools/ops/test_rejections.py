from __future__ import annotations

from argparse import Namespace
from datetime import UTC, datetime
from itertools import islice

import pytest

import contract
from processor.items import rejected_item
from processor.messages import Message
from tests.unit.tools.fakes import FakeDynamoDB, pipeline
from tests.unit.tools.ops.factories import put_rejected
from tools.core.errors import UsageError
from tools.ops import rejections
from tools.ops.inspect import commands, rejected
from tools.ops.rejections import Rejection


def _table() -> FakeDynamoDB:
    dynamodb = FakeDynamoDB()
    for message_id, reason in (
        ("first", "is missing"),
        ("second", "must be a number"),
        ("third", "Is Missing"),
    ):
        put_rejected(dynamodb, message_id, b"{}", reason)
    dynamodb.tables["rejected"]["second"]["event_id"] = {"S": "evt-2"}
    return dynamodb


def _ids(dynamodb: FakeDynamoDB, **criteria: str) -> list[str]:
    return [r.message_id for r in rejections.find(pipeline(dynamodb=dynamodb), **criteria)]


def test_the_newest_rejection_comes_first() -> None:
    assert _ids(_table()) == ["third", "second", "first"]


def test_a_reason_filters_by_text_rule_path_and_kind_ignoring_case() -> None:
    assert _ids(_table(), reason="is MISSING") == ["third", "first"]
    assert _ids(_table(), reason="required") == ["third", "second", "first"]
    assert _ids(_table(), reason="$.a") == ["third", "second", "first"]
    assert _ids(_table(), reason="invalid_event") == ["third", "second", "first"]
    assert _ids(_table(), reason="conflict") == []


def test_a_rejection_is_found_by_message_id_and_by_event_id() -> None:
    assert _ids(_table(), any_id="first") == ["first"]
    assert _ids(_table(), any_id="evt-2") == ["second"]
    assert _ids(_table(), any_id="evt-3") == []


def test_an_id_and_a_reason_filter_together() -> None:
    assert _ids(_table(), any_id="first", reason="missing") == ["first"]
    assert _ids(_table(), any_id="first", reason="number") == []


def test_an_item_with_only_its_keys_can_be_listed() -> None:
    dynamodb = FakeDynamoDB()
    dynamodb.put("rejected", message_id={"S": "bare"}, bucket={"S": "rejected#7"}, rejected_at={"S": "2026"})
    (bare,) = rejections.find(pipeline(dynamodb=dynamodb))
    assert (bare.event_id, bare.summary, bare.rules, bare.violations) == (None, "", frozenset(), 0)


def test_all_reasons_of_a_rejection_are_read_from_the_table() -> None:
    resources = pipeline(dynamodb=_table())
    item = rejections.get_item(resources, "second")
    assert item is not None
    assert [str(reason) for reason in rejections.reasons_of(item)] == ["$.a must be a number"]
    assert rejections.get_item(resources, "gone") is None


def test_the_newest_rejections_are_listed_without_reading_all() -> None:
    dynamodb = FakeDynamoDB()
    for number in range(400):
        put_rejected(dynamodb, f"m-{number}", b"{}")
        dynamodb.tables["rejected"][f"m-{number}"]["rejected_at"] = {"S": f"2026-{number:03d}"}
    first = list(islice(rejections.newest(pipeline(dynamodb=dynamodb), page=2), 10))
    assert [rejection.message_id for rejection in first] == [f"m-{n}" for n in range(399, 389, -1)]
    assert len(dynamodb.queries) <= 16


def test_the_function_writes_what_a_listing_reads() -> None:
    reasons = contract.Violations()
    reasons.add(((), "a"), "required", "is missing")
    attributes = {"SentTimestamp": "1795399387000"}
    record = {"messageId": "m", "body": "{}", "attributes": attributes, "messageAttributes": {}}
    message = Message.read(record, datetime.now(UTC))
    listed = Rejection.from_item(rejected_item(message, "invalid_event", reasons, 1))
    assert (listed.rules, listed.summary) == (frozenset({"required"}), "$.a is missing")
    assert listed.violations == 1


def test_unprocessed_keys_are_requested_again() -> None:
    dynamodb = _table()
    dynamodb.unprocessed_once = True
    rejected = rejections.still_rejected(pipeline(dynamodb=dynamodb), ["first", "gone", "third"])
    assert rejected == {"first", "third"}


def test_reasons_are_listed_as_they_were_stored(
    capsys: pytest.CaptureFixture[str],
) -> None:
    dynamodb = FakeDynamoDB()
    put_rejected(dynamodb, "old", b"{}", reason="may have a; b or c")
    put_rejected(dynamodb, "new", b"{}")
    dynamodb.tables["rejected"]["new"]["summary"] = {"L": [{"S": "$.a is; odd"}, {"S": "$.b is missing"}]}
    new, old = rejections.newest(pipeline(dynamodb=dynamodb))
    assert new.reasons == ("$.a is; odd", "$.b is missing")
    assert old.reasons == ("$.a may have a; b or c",)
    rejected.show_list(pipeline(dynamodb=dynamodb), reason=None, limit=5, as_json=False)
    assert capsys.readouterr().out.count("    $.") == 3


def test_one_event_and_a_list_at_once_are_refused() -> None:
    both = Namespace(id="first", reason="missing", limit=20, json=False)
    with pytest.raises(UsageError, match="ID shows one event, REASON lists some"):
        commands.rejected(pipeline(dynamodb=_table()), both)
