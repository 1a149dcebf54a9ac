"""A line holds what the item does, digit for digit and byte for byte, and every reader takes it."""

from __future__ import annotations

import json
import random
import string
from base64 import b64decode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.lines import Line, UnreadableItem, duplicate_line, event_line, rejected_line
from storage.sizes import ITEM_LIMIT
from tests.schemas import check_line
from tests.unit.archiver.factories import duplicate, order, rejected, stored


def nothing_to_fetch(key: str) -> bytes:
    raise AssertionError(f"{key} is not to be fetched")


def read(line: Line) -> dict[str, Any]:
    assert line.text.endswith(b"}\n")
    assert line.text.count(b"\n") == 1
    check_line(line.partition, line.text)
    document: dict[str, Any] = json.loads(line.text, parse_float=str)
    return document


def test_a_line_is_the_item_and_the_event_as_it_was_sent() -> None:
    body = order("30.50", event_id="evt-1")
    item = stored(body)
    line = event_line(item, nothing_to_fetch)
    assert line.partition == "events/type=order/dt=2026-11-22/hour=14"
    assert line.text.endswith(b',"event":' + body.encode() + b"}\n")
    document = read(line)
    assert document.pop("event") == json.loads(body, parse_float=str)
    assert document == {
        "event_id": "evt-1",
        "event_type": "order",
        "customer_id": "cus-1",
        "occurred_at": "2026-11-22T14:03:07.000Z",
        "received_at": "2026-11-22T14:03:07.123Z",
        "processed_at": "2026-11-22T14:03:09.500Z",
        "ingest_latency_ms": 2500,
        "amount": "30.5",
        "currency": "EUR",
        "large_order": False,
        "item_count": 1,
        "payload_bytes": len(body),
        "content_hash": item["content_hash"]["S"],
        "schema_version": item["schema_version"]["S"],
        "message_id": item["message_id"]["S"],
        "line_version": 2,
        "type_bucket": item["type_bucket"]["S"],
        "payload_encoding": item["payload_encoding"]["S"],
    }


def test_an_event_of_a_later_contract_is_archived_in_the_partition_of_its_type() -> None:
    body = order(later_field={"deep": [1]})
    item = {**stored(body), "event_type": {"S": "refund"}, "later_column": {"S": "x"}}
    line = event_line(item, nothing_to_fetch)
    assert line.partition == "events/type=refund/dt=2026-11-22/hour=14"
    assert line.text.endswith(b',"event":' + body.encode() + b"}\n")
    assert "later_column" not in read(line)


@pytest.mark.parametrize("amount", ["0.1", "19.9900", "999999999999999.9999"])
def test_an_amount_keeps_the_items_digits(amount: str) -> None:
    item = stored(order(amount))
    assert f'"amount":{item["amount"]["N"]},'.encode() in event_line(item, nothing_to_fetch).text


def test_a_replayed_event_says_so() -> None:
    assert read(event_line(stored(order(), origin="msg-0"), nothing_to_fetch))["replayed"] is True


def test_bytes_are_taken_as_well_as_base64() -> None:
    item = stored(order())
    as_bytes = {**item, "payload": {"B": b64decode(item["payload"]["B"])}}
    assert event_line(as_bytes, nothing_to_fetch) == event_line(item, nothing_to_fetch)


def test_a_claim_check_is_fetched() -> None:
    body = order(metadata="".join(random.Random(1).choices(string.printable[:94], k=ITEM_LIMIT * 2)))
    item = stored(body)
    assert "payload" not in item
    from storage.payload import encode_payload

    line = event_line(item, {item["payload_key"]["S"]: encode_payload(body.encode()).data}.__getitem__)
    assert body.encode() in line.text


def test_a_body_of_several_lines_becomes_one_and_stays_the_same_json() -> None:
    body = json.dumps(json.loads(order()), indent=2).replace("\n", "\r\n")
    line = event_line(stored(body), nothing_to_fetch)
    assert read(line)["event"] == json.loads(body, parse_float=str)


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(json.loads(order()), indent=2).replace("\n", "\r\n"),
        order(metadata="@@").replace("@@", r"\ud83d x"),
    ],
    ids=["line breaks", "half a pair"],
)
def test_a_body_whose_text_is_not_exact_is_there_in_base64_too(body: str) -> None:
    line = read(event_line(stored(body), nothing_to_fetch))
    assert b64decode(line["body_base64"]) == body.encode()
    assert "body_base64" not in read(event_line(stored(order()), nothing_to_fetch))


def test_a_rejected_body_that_is_not_text_is_there_in_base64_too() -> None:
    body = "half a pair: \ud83d"
    line = read(rejected_line(rejected(body), nothing_to_fetch))
    assert b64decode(line["body_base64"]) == body.encode("utf-8", "surrogatepass")
    assert "body_base64" not in read(rejected_line(rejected("text: é\n"), nothing_to_fetch))


def test_a_line_has_every_attribute_of_its_item_but_the_payload() -> None:
    item = {**rejected("{}"), "claimed_origin_id": {"S": "m-0"}}
    line = read(rejected_line(item, nothing_to_fetch))
    assert set(item) - set(line) == {"payload"}
    assert line["expires_at"] == int(item["expires_at"]["N"])
    assert line["rules"] == item["rules"]["SS"]
    assert line["summary"] == [text["S"] for text in item["summary"]["L"]]


def test_an_attribute_that_this_version_does_not_know_is_kept_as_it_is() -> None:
    unknown = {
        "event": {"M": {"event": {"S": "{"}}},
        "amount_paid": {"N": "1.50"},
        "blob": {"B": b"\xff"},
        "large_bucket": {"N": "7"},
    }
    body = order("30.5")
    line = event_line({**stored(body), **unknown}, nothing_to_fetch)
    assert line.text.partition(b',"event":')[2] == body.encode() + b"}\n"
    kept = json.loads(read(line)["other_attributes"])
    assert kept == {**unknown, "blob": {"B": "/w=="}}


def test_a_duplicate_is_a_line_without_a_body() -> None:
    item = duplicate(order())
    line = duplicate_line(item, nothing_to_fetch)
    assert line.partition == "duplicates/dt=2026-11-22/hour=14"
    document = read(line)
    assert document.pop("line_version") == 2
    assert str(document.pop("expires_at")) == item.pop("expires_at")["N"]
    assert {name: {"S": value} for name, value in document.items()} == item


@pytest.mark.parametrize(
    ("written", "archived"),
    [
        (r"\ud83d\ude00", r"\ud83d\ude00"),
        (r"\ud83d x", r"\ufffd x"),
        (r"\ude00\ud83d", r"\ufffd\ufffd"),
        (r"\ud83d\ud83d\ude00", r"\ufffd\ud83d\ude00"),
        (r"\\ud83d", r"\\ud83d"),
        (r"\\\uD83D", r"\\\ufffd"),
    ],
)
def test_halves_of_surrogate_pairs_are_replaced_and_nothing_else(written: str, archived: str) -> None:
    body = order(metadata="@@").replace("@@", written)
    assert body.replace(written, archived).encode() in event_line(stored(body), nothing_to_fetch).text


def test_a_rejected_body_of_any_kind_is_a_string() -> None:
    body = 'not JSON: "é\n\x7f'
    item = rejected(body)
    line = rejected_line(item, nothing_to_fetch)
    assert line.partition == "rejected/kind=invalid_event/dt=2026-11-22/hour=14"
    document = read(line)
    assert document["body"] == body
    assert document["message_id"] == item["message_id"]["S"]
    assert document["violation_count"] == 1
    assert [reason["rule"] for reason in document["reasons"]] == ["json"]
    assert "event_id" not in document


@given(st.text(max_size=200))
def test_whatever_was_rejected_comes_back_from_its_line(body: str) -> None:
    line = rejected_line(rejected(body), nothing_to_fetch)
    assert line.text.count(b"\n") == 1
    expected = body.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    assert json.loads(line.text)["body"] == expected


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"customer_id": None}, "it has no customer_id"),
        ({"payload_encoding": None}, "it has no payload_encoding"),
        ({"event_type": {"S": "../x"}}, "its event_type is '../x'"),
        ({"received_at": {"S": "2026-11-22"}}, "its received_at is '2026-11-22'"),
        ({"amount": {"S": "1"}}, "its amount is not of type N"),
        ({"amount": {"N": "NaN"}}, "its amount is 'NaN'"),
        ({"payload_encoding": {"S": "zip"}}, "unknown payload encoding 'zip'"),
        ({"payload": {"B": "e30="}}, "the payload is damaged"),
        ({"content_hash": {"S": "0" * 64}}, "its body is not the one that was sent"),
        ({"customer_id": {"S": "\ud800"}}, "it is not text"),
    ],
)
def test_an_item_that_is_none_of_ours_is_told_apart(change: dict[str, Any], why: str) -> None:
    item = {**stored(order()), **change}
    with pytest.raises(UnreadableItem, match=f"^{why}"):
        event_line({name: value for name, value in item.items() if value is not None}, nothing_to_fetch)
