"""People get a sentence, and machines the JSON that they have always had."""

from __future__ import annotations

import json
from typing import Any

import pytest

from processor.sentences import email_sentence, sms_sentence
from tests.fakes import text_for
from tests.unit.processor.conftest import Harness, order, record

TEMPLATE = "Order {order_id} of {customer_id}"


def published(harness: Harness) -> dict[str, Any]:
    ((entry,),) = harness.sns.requests
    return entry


def test_a_large_order_is_a_sentence_by_email_and_sms_and_json_for_all_others(harness: Harness) -> None:
    harness.deliver(record(order("1250", order_id="o-1", customer_id="c-9", currency="EUR"), "m1"))
    entry = published(harness)
    sentence = "Large order: 1,250.00 EUR, order o-1, customer c-9"
    assert text_for("email", entry) == text_for("sms", entry) == sentence
    for protocol in ("sqs", "https", "lambda"):
        assert json.loads(text_for(protocol, entry))["amount"] == "1250"


def test_a_rejection_names_its_first_reason_and_its_message(harness: Harness) -> None:
    harness.deliver(record("not json", "m1"))
    assert text_for("email", published(harness)).startswith("Rejected event: $ ")
    assert text_for("email", published(harness)).endswith(", message m1")


def test_a_conflict_names_its_event(harness: Harness) -> None:
    harness.deliver(record(order(event_id="e1"), "m1"))
    harness.deliver(record(order("2", event_id="e1"), "m2"))
    sentence = "Rejected event: e1 is stored with other content, message m2"
    assert text_for("sms", published(harness)) == sentence


def test_subscribers_filter_by_type_event_type_amount_and_currency(harness: Harness) -> None:
    harness.deliver(record(order("1250.5", currency="EUR"), "m1"))
    assert published(harness)["MessageAttributes"] == {
        "alert_type": {"DataType": "String", "StringValue": "large_order"},
        "event_type": {"DataType": "String", "StringValue": "order"},
        "currency": {"DataType": "String", "StringValue": "EUR"},
        "amount": {"DataType": "Number", "StringValue": "1250.5"},
    }


def test_an_amount_beyond_what_filters_compare_counts_as_the_largest(harness: Harness) -> None:
    harness.deliver(record(order("9" * 15), "m1"))
    assert published(harness)["MessageAttributes"]["amount"]["StringValue"] == "1000000000"
    assert text_for("sms", published(harness)).startswith("Large order: 999,999,999,999,999.00 ")


@pytest.mark.parametrize(
    ("amount", "text"),
    [("0.5", "0.50"), ("1000.0001", "1,000.0001"), ("1234567.8", "1,234,567.80"), ("7", "7.00")],
)
def test_people_read_an_amount_with_two_decimals_or_more(amount: str, text: str) -> None:
    assert email_sentence("{amount:money}", {"amount": amount}) == text


@pytest.mark.parametrize(
    ("value", "sms"),
    [
        ("Jürgen Straße", "Jürgen Straße"),
        ("Dvořák", "Dvo?ák".replace("á", "?")),
        ("a[0].{b}|`~^\\", "a(0).(b)/'--/"),
        ("\U0001f680\u202e\n\x1b[31m", "????(31m"),
        ("日本 €", "?? ?"),
    ],
)
def test_an_sms_replaces_what_gsm_7_lacks(value: str, sms: str) -> None:
    assert sms_sentence("{name}", {"name": value}) == sms


def test_an_sms_of_the_longest_ids_has_something_of_each_in_160_characters(harness: Harness) -> None:
    longest = {"order_id": "\U0001f680" * 256, "customer_id": "c" * 128}
    harness.deliver(record(order("9" * 15, **longest), "m1"))
    sms = text_for("sms", published(harness))
    assert len(sms) <= 160
    assert f"customer {'c' * 37}..." in sms
    assert longest["customer_id"] in text_for("email", published(harness))


def test_an_sms_that_is_too_long_is_cut_where_one_sees_it() -> None:
    sms = sms_sentence("x" * 150 + " {order_id}", {"order_id": "o-1234567890"})
    assert len(sms) == 160
    assert sms.endswith("...")


@pytest.mark.parametrize(
    "value", ["one\ntwo", "one\r\nSubject: two", "\u2028", "\x1b]0;title\x07", "\u202eabc"]
)
def test_no_value_begins_a_line_or_hides_a_character(value: str) -> None:
    fields = {"order_id": value, "customer_id": "{order_id} %s"}
    for text in (email_sentence(TEMPLATE, fields), sms_sentence(TEMPLATE, fields)):
        assert text.isprintable()
    assert email_sentence(TEMPLATE, fields).endswith("{order_id} %s")
