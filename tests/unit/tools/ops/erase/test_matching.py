"""An id is matched as a whole JSON string, or as a token of text that is not JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.ops.erase.matching import Customer, Relation

OWN, MENTION, ABSENT = Relation.OWN, Relation.MENTION, Relation.ABSENT


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"customer_id": "c-1"}', OWN),
        (b'{"customer_id": "\\u0063-1"}', OWN),
        (b'{"customer_id": "c\\u002D1", "amount": 1}', OWN),
        (b'{"customer_id": "c-10"}', ABSENT),
        (b'{"customer_id": "c-2", "friend": "c-1"}', MENTION),
        (b'{"customer_id": "c-2", "friends": [{"id": "\\u0063-1"}]}', MENTION),
        (b'{"customer_id": "c-2", "c-1": 1}', MENTION),
        (b'{"customer_id": "c-2", "note": "c-1 called"}', ABSENT),
        (b'{"customer_id": "c-2", "nested": {"customer_id": "c-1"}}', MENTION),
        (b'{"customer_id": "c-1", "customer_id": "c-2"}', OWN),
        (b'{"customer_id": "c-2", "customer_id": "c-1"}', OWN),
        (b'{"customer_id": null, "user": "c-1"}', OWN),
        (b'{"user": "c-1"}', OWN),
        (b'["c-1"]', OWN),
        (b'"c-1"', OWN),
        (b'\xef\xbb\xbf{"customer_id": "c-2", "friend": "c-1"}', MENTION),
        (b'{"customer_id": "c-1", "bytes": "\xff\xfe"}', OWN),
        (b'{"customer_id": "c-1", "half": "\\ud800"}', OWN),
        (b'{"customer_id": "c-1", "n": ' + b"9" * 5000 + b"}", OWN),
        (b'{"customer_id": "c-1", "deep": ' + b"[" * 100_000, OWN),
        (b"{customer_id: c-1}", OWN),
        (b"{customer_id: \\u0063-1}", OWN),
        (b"\xff\xfec-1\xff", OWN),
        (b"of c-1.", OWN),
        (b"of c-10, xc-1, c-1-2 and _c-1", ABSENT),
        ("of äc-1".encode(), ABSENT),
        (b"of \\u0078c-1", ABSENT),
        (b"a line\\nc-1", OWN),
        (b"", ABSENT),
    ],
)
def test_whose_a_body_is(body: bytes, expected: Relation) -> None:
    assert Customer("c-1").relation(body) is expected


@pytest.mark.parametrize("body", [b'{"customer_id": 12345678}', b'{"customer_id": "x", "n": 12345678}'])
def test_a_number_is_no_string_unless_it_is_the_customer_id(body: bytes) -> None:
    expected = OWN if b'"x"' not in body else ABSENT
    assert Customer("12345678").relation(body) is expected


def test_an_id_with_special_characters_is_matched_as_it_is() -> None:
    customer = Customer('a.b*"\\/😀')
    assert customer.relation(json.dumps({"customer_id": customer.id}).encode()) is OWN
    assert customer.relation(json.dumps({"customer_id": 'axb*"\\/😀'}).encode()) is ABSENT
    assert customer.in_text('a.b*\\"\\\\\\/\\ud83d\\ude00')


def test_a_token_is_found_below_several_layers_of_escapes() -> None:
    line = json.dumps({"body": json.dumps({"customer_id": "ä-12345"})})
    assert Customer("ä-12345").in_text(json.dumps(line))


@given(st.text(min_size=1, max_size=20), st.booleans())
def test_every_id_is_found_in_json_with_and_without_escapes(customer_id: str, escaped: bool) -> None:
    body = json.dumps({"customer_id": customer_id}, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    assert Customer(customer_id).relation(body) is OWN


@given(st.binary(max_size=200))
def test_no_body_raises(body: bytes) -> None:
    assert Customer("c-1").relation(body) in Relation
