"""Who may only send cannot claim the origin of another message."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from common.origin import is_signed, sign
from contract import content_hash
from tests.unit.processor.conftest import SETTINGS, Harness, order, record
from tests.unit.processor.test_semantics import event_id
from tests.unit.tools.ops.factories import evaluate, snapshot
from tools.ops.verify.result import VerifyResult
from tools.ops.verify.snapshot import Duplicate, Rejected, Stored


def verified(harness: Harness) -> VerifyResult:
    """The result of verify for what the tables hold."""
    return evaluate(
        snapshot(
            stored=[Stored.from_item(item) for item in harness.events.values()],
            duplicates=[Duplicate.from_item(item) for item in harness.duplicates.values()],
            rejected=[Rejected.from_item(item) for item in harness.rejected.values()],
        )
    )


def test_two_messages_that_claim_one_origin_are_two_messages(harness: Harness) -> None:
    one, two = order(), order()
    assert harness.deliver(record(one, "m1", "x", "forged"), record(two, "m2", "x", "")) == []
    items = [harness.events[event_id(body)] for body in (one, two)]
    assert [item["message_id"]["S"] for item in items] == ["m1", "m2"]
    assert [item["claimed_origin_id"]["S"] for item in items] == ["x", "x"]
    assert not any("replayed" in item for item in items)
    result = verified(harness)
    assert (result.ok, result.claimed_origins) == (True, 2)


@pytest.mark.parametrize("body", ["{}", order()], ids=["rejected", "stored"])
def test_twenty_messages_that_claim_one_origin_and_have_one_body_are_twenty(
    harness: Harness, body: str
) -> None:
    for batch in range(2):
        ids = [f"m{batch}-{number}" for number in range(10)]
        assert harness.deliver(*(record(body, each, "x", "") for each in ids)) == []
    assert len(harness.events) + len(harness.duplicates) + len(harness.rejected) == 20
    assert verified(harness).ok


def test_the_id_of_a_victim_cannot_be_taken_before_or_after_it_is_used(harness: Harness) -> None:
    assert harness.deliver(record("[]", "attacker-1", "victim", "")) == []
    assert harness.deliver(record("{}", "victim")) == []
    assert harness.deliver(record("{}", "attacker-2", "victim", content_hash("{}"))) == []
    assert {key: harness.body_of(item) for key, item in harness.rejected.items()} == {
        "attacker-1": "[]",
        "victim": "{}",
        "attacker-2": "{}",
    }


def test_the_signature_of_a_copy_is_not_valid_for_another_body_or_origin(harness: Harness) -> None:
    body = order()
    signature = sign(SETTINGS.origin_key, "first", content_hash(body))
    assert harness.deliver(record(" " + body, "m1", "first", signature)) == []
    assert harness.deliver(record(order(), "m2", "second", signature)) == []
    assert {item["message_id"]["S"] for item in harness.events.values()} == {"m1", "m2"}
    assert harness.deliver(record(body, "m3", "first", signature)) == []
    assert list(harness.duplicates) == ["first"]


def test_a_rejected_event_is_not_deleted_by_a_message_that_claims_to_replay_it(harness: Harness) -> None:
    body = order()
    harness.rejected["m1"] = {"message_id": {"S": "m1"}, "content_hash": {"S": content_hash(body)}}
    assert harness.deliver(record(body, "m2", "m1", "")) == []
    assert list(harness.rejected) == ["m1"]


@pytest.mark.parametrize("claimed", ["\x1b]0;owned\x07", "\ud800", "\x00", "x" * 300_000, "ž" * 100])
def test_a_claimed_origin_is_kept_as_bounded_data(harness: Harness, claimed: str) -> None:
    body = order()
    assert harness.deliver(record(body, "m1", claimed, "\udfff")) == []
    kept = harness.events[event_id(body)]["claimed_origin_id"]["S"]
    assert len(kept.encode()) <= 600
    json.dumps(kept).encode()


@pytest.mark.parametrize("value", [None, 5, {"binaryValue": "eA=="}, {"stringValue": 5}, {"stringValue": ""}])
def test_an_attribute_of_another_type_is_no_origin(harness: Harness, value: Any) -> None:
    sent = record("{}", "m1")
    sent["messageAttributes"] = {"origin_message_id": value if isinstance(value, dict) else {}}
    assert harness.deliver(sent) == []
    assert "claimed_origin_id" not in harness.rejected["m1"]


def test_without_a_key_no_signature_is_valid() -> None:
    assert not is_signed("", "m1", "hash", sign("", "m1", "hash"))
    assert is_signed("key", "m1", "hash", sign("key", "m1", "hash"))


def test_a_message_without_an_origin_is_not_hashed_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> bool:
        raise AssertionError

    check: Callable[..., bool] = refuse
    monkeypatch.setattr("processor.messages.is_signed", check)
    assert Harness().deliver(record("{}", "m1")) == []
