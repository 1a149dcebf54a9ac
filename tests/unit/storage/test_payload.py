from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from typing import Any

import pytest

from storage.dictionary import D1
from storage.payload import Payload, decode_payload, encode_payload

EVENT = json.dumps(
    {
        "event_id": "8f14e45f-ceea-4c1d-8d5c-1f0e6a2b9c3d",
        "event_type": "payment",
        "occurred_at": "2026-11-22T14:03:07.250Z",
        "customer_id": "customer-1",
        "payment_id": "pay-1",
        "order_id": "ord-1",
        "amount": 12.5,
        "currency": "EUR",
        "method": "card",
        "status": "captured",
    },
    separators=(",", ":"),
).encode()
# What the first version of the code made of EVENT, as it lies in somebody's table.
STORED = (
    "eLvAXNjzQ3G6RZqhSaqJaZpucmpqoq5JsmGKrkWKabKuYZpBqlmiUZJlsnEKbn+R6QIYT9cQXJYhRReQ"
    "AxZEigUgEywEC3lDIz1TLBFDOJnUAgBXr01F"
)


def fetch(key: str) -> bytes:
    raise AssertionError(f"{key} was fetched")


def unpacked(payload: Payload) -> bytes:
    return decode_payload(payload.inline(), fetch)


def item(data: bytes, encoding: str) -> dict[str, Any]:
    return {"payload": {"B": data}, "payload_encoding": {"S": encoding}}


@pytest.mark.parametrize("length", [0, 1, 127, 128, 129, 8 * 1024, 8 * 1024 + 1, 200_000])
@pytest.mark.parametrize("pattern", [b"{}", EVENT, bytes(range(256))], ids=["brackets", "events", "bytes"])
def test_a_body_comes_back_byte_for_byte(pattern: bytes, length: int) -> None:
    body = (pattern * (length // len(pattern) + 1))[:length]
    payload = encode_payload(body)
    assert unpacked(payload) == body
    assert payload.body_bytes == len(body)
    assert len(payload.data) <= len(body)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"{}", "identity"),
        (EVENT, "zlib-d1"),
        (EVENT * 100, "zlib"),
        (hashlib.sha512().digest() * 2, "zlib-d1"),
    ],
    ids=["too small", "small", "large", "of bytes"],
)
def test_each_size_has_its_encoding(body: bytes, encoding: str) -> None:
    assert encode_payload(body).encoding == encoding


def test_a_small_event_packs_to_less_than_half() -> None:
    assert len(encode_payload(EVENT).data) < len(EVENT) / 2


def test_what_was_stored_with_the_dictionary_can_still_be_read() -> None:
    assert decode_payload(item(b64decode(STORED), "zlib-d1"), fetch) == EVENT


def test_the_dictionary_never_changes() -> None:
    """Changing this hash makes stored payloads unreadable: add a D2 instead."""
    assert hashlib.sha256(D1).hexdigest() == (
        "37c75646b29afcb046e2935965aedfaa6706461b53e841a256a1f7eb155845d0"
    )


# The fields of contract 1.0.0, for which the dictionary was made. It cannot grow with the contract.
NAMES = [
    *("event_id", "event_type", "occurred_at", "customer_id", "order_id", "currency", "amount", "items"),
    *("payment_id", "method", "status", "session_id", "action", "sku", "quantity", "unit_price"),
]


@pytest.mark.parametrize("name", NAMES)
def test_the_dictionary_has_the_names_of_the_first_contract(name: str) -> None:
    assert f'"{name}":'.encode() in D1


@pytest.mark.parametrize("encoding", ["zlib", "zlib-d1"])
def test_a_damaged_payload_is_refused(encoding: str) -> None:
    data = encode_payload(EVENT * (1 if encoding == "zlib-d1" else 100)).data
    for damaged in (b"", data[:-1], data[: len(data) // 2], b"x" + data, data[:20] + b"\0\0" + data[22:]):
        with pytest.raises(ValueError, match="the payload is damaged"):
            decode_payload(item(damaged, encoding), fetch)


def test_an_encoding_that_nobody_knows_is_named() -> None:
    with pytest.raises(ValueError, match="unknown payload encoding 'zlib-d9'"):
        decode_payload(item(b"", "zlib-d9"), fetch)
