from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from typing import Any

import pytest

from storage import dictionary
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
# What each version of the code made of EVENT, or of 100 of them, as it lies in users' tables.
STORED = {
    "zlib-d1": (
        "eLvAXNjzQ3G6RZqhSaqJaZpucmpqoq5JsmGKrkWKabKuYZpBqlmiUZJlsnEKbn+R6QIYT9cQXJYhRReQ"
        "AxZEigUgEywEC3lDIz1TLBFDOJnUAgBXr01F"
    ),
    "zstd-d2": (
        "KLUv/SICgPm9AgCzgwofaYmQZuyZG1iR0UJBVwRdEo0yC4tzekiDlUzSqkJhJlXmf1bRpPQS1KoQ/Hx+Vm5herYk9k21B7dR"
        "Q8xPs1v7WRE9T0iPophzGFszmlJnE1KRmg4="
    ),
    "zlib": (
        "eAHtnEtugzAURfficR1hB9KUeTZQNZNOItc2agcEZEwkFHXvfUDICjo8M2zA5uvPO773ruItXvPlJ6haHRtTxrJqtI/R6dKb"
        "oI+h8to0RTw4+/Xm90G9PM7IUx/lnN5NrRQg2Z33Y0oxXFyWfFvYgzZGW/thyrrY18XrzlbFpxzoxyF3bUxrpVtKG9n1KG3d"
        "I4kls0thO1g2lyzXdqNUWhu7q+YCpd6rn6Ta0/ldimlj/u7mO/IuzVc8ZJfHYUn3eZRrVL93blyeB2+cT51/nMZN2si1H6BV"
        "pzujH2cAw8iNIStjdSYpzM6Ylm7hAebjBCIUERhCT8TcCDYSZSW8TFxdAANAAZICSQEaQkvBxPBxiRWAkEBIICQQEggJhARC"
        "AiGBkEBIICTWsrKIF3YGO4Odwc5gZ7Az2BnsDBUSujMEdygNkViiLUV+hZoYGTX6cYTzOAZglYBHBOYYi0cIriBPdxbkV8iv"
        "kF/h/IPlEV5PmFzh7oWt2ezvhvwK+RXyK+RXyK+QXyG/Qn61WcjKGisMaXHixYIY72VMp3HbfgIlgAJAAZICSflHkvIHPrYw"
        "Uw=="
    ),
    "zstd": (
        "KLUv/WBEYL0FAKLLJCBQadsGg1Zp9Rp1x2+yu2p85hu2aicw7KPT4+DGzEyvAQtfZq2X1OOZ1tnMz5flOmhOfi5AEHB8o8rP"
        "YVCHb6WtJJetZavJ5fwQ42Q10/TnBelQhkTCQ0LjBpRCdwihkjq+c7HMWFNdP2+FkyaX43lp+nwPCmCgEsEJOaTHKtCeGiiZ"
        "FSGHwcYhiuMXYdEKJ/AVAgsAIYF82yMYAu7hlM02oHoDp5ieASJMKIaAgONhpmZqDw=="
    ),
}


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
        (EVENT, "zstd-d2"),
        (EVENT * 100, "zstd"),
        (hashlib.sha512().digest() * 2, "zstd-d2"),
    ],
    ids=["too small", "small", "large", "of bytes"],
)
def test_each_size_has_its_encoding(body: bytes, encoding: str) -> None:
    assert encode_payload(body).encoding == encoding


def test_a_small_event_packs_to_less_than_half() -> None:
    assert len(encode_payload(EVENT).data) < len(EVENT) / 2


@pytest.mark.parametrize("encoding", STORED)
def test_what_any_version_stored_can_still_be_read(encoding: str) -> None:
    body = EVENT * (1 if "-d" in encoding else 100)
    assert decode_payload(item(b64decode(STORED[encoding]), encoding), fetch) == body


def test_the_dictionaries_never_change() -> None:
    """Changing one, or its file's name, makes stored payloads unreadable: add a new one instead."""
    assert hashlib.sha256(D1).hexdigest() == (
        "37c75646b29afcb046e2935965aedfaa6706461b53e841a256a1f7eb155845d0"
    )
    assert dictionary.numbered()[2].name == "d2-cd6bf3a894f9.zdict"
    for number, path in dictionary.numbered().items():
        content = path.read_bytes()
        assert path.stem == f"d{number}-{hashlib.sha256(content).hexdigest()[:12]}"
        assert int.from_bytes(content[4:8], "little") == dictionary.FIRST_ID + number


def test_no_dictionary_was_removed() -> None:
    files = list(dictionary.DIRECTORY.iterdir())
    assert list(dictionary.numbered()) == list(range(2, len(files) + 2))


# The fields of contract 1.0.0, for which the dictionary was made. It cannot grow with the contract.
NAMES = [
    *("event_id", "event_type", "occurred_at", "customer_id", "order_id", "currency", "amount", "items"),
    *("payment_id", "method", "status", "session_id", "action", "sku", "quantity", "unit_price"),
]


@pytest.mark.parametrize("name", NAMES)
def test_the_dictionary_has_the_names_of_the_first_contract(name: str) -> None:
    assert f'"{name}":'.encode() in D1


@pytest.mark.parametrize("encoding", STORED)
def test_a_damaged_payload_is_refused(encoding: str) -> None:
    data = b64decode(STORED[encoding])
    for damaged in (b"", data[:-1], data[: len(data) // 2], b"x" + data, data[:4] + b"\0\0" + data[6:]):
        with pytest.raises(ValueError, match="the payload is damaged"):
            decode_payload(item(damaged, encoding), fetch)


def test_a_frame_of_another_dictionary_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the payload is damaged: .*(?i:dictionary)"):
        decode_payload(item(b64decode(STORED["zstd-d2"]), "zstd"), fetch)


def test_an_encoding_that_nobody_knows_is_named() -> None:
    for encoding in ("zlib-d9", "zstd-d", "zstd-d02", "zstd-d1", "zstd-d99", "zstd-d2/../x", "lz4"):
        with pytest.raises(ValueError, match=f"unknown payload encoding '{encoding}'"):
            decode_payload(item(b"", encoding), fetch)
