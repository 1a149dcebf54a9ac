"""The ways in which an invalid event is invalid. contract.validate rejects every one of them (tested)."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import contract

# The fields of an event in their order, each value as JSON text, so that amounts are never floats.
Fields = dict[str, str]

_ID_LENGTH: int = contract.SCHEMA["properties"]["event_id"]["maxLength"]
_ACTION_LENGTH: int = contract.SCHEMA["$defs"]["activity"]["properties"]["action"]["maxLength"]
_DECIMALS: int = contract.SCHEMA["$defs"]["amount"]["x-maxDecimals"]


@dataclass(frozen=True)
class Fault:
    """One way to be invalid.

    ``event_type`` is the type that it needs, None for any. ``spoil`` changes the fields; ``prefix`` and
    ``suffix`` go around the object, ``cut`` bytes are missing at the end. ``unreadable`` says that what
    comes out is no JSON object, so that nobody can read an event_id from it.
    """

    name: str
    event_type: str | None = None
    spoil: Callable[[Fields], None] = lambda fields: None  # noqa: ARG005
    prefix: str = ""
    suffix: str = ""
    cut: int = 0
    unreadable: bool = False


def text_of(fields: Fields, name: str) -> str | None:
    """The string that a field holds, None where it is missing or no string."""
    value = json.loads(fields.get(name, "null"))
    return value if isinstance(value, str) else None


def _without(name: str) -> Callable[[Fields], None]:
    def spoil(fields: Fields) -> None:
        del fields[name]

    return spoil


def _with(name: str, json_text: str) -> Callable[[Fields], None]:
    def spoil(fields: Fields) -> None:
        fields[name] = json_text

    return spoil


def _with_item(item: str, amount: str) -> Callable[[Fields], None]:
    def spoil(fields: Fields) -> None:
        fields["items"] = f"[{{{item}}}]"
        fields["amount"] = amount

    return spoil


def _two_cents_off(fields: Fields) -> None:
    fields["amount"] = str(Decimal(fields["amount"]) + Decimal("0.02"))


FAULTS = (
    Fault("truncated JSON", cut=2, unreadable=True),
    Fault("a log line instead of JSON", prefix="Order received: ", unreadable=True),
    Fault("a list instead of an object", prefix="[", suffix="]", unreadable=True),
    Fault("two objects in one body", suffix="{}", unreadable=True),
    Fault("no event_id", spoil=_without("event_id")),
    Fault("no event_type", spoil=_without("event_type")),
    Fault("no occurred_at", spoil=_without("occurred_at")),
    Fault("no customer_id", spoil=_without("customer_id")),
    Fault("empty event_id", spoil=_with("event_id", '""')),
    Fault("event_id too long", spoil=_with("event_id", f'"{"e" * (_ID_LENGTH + 1)}"')),
    Fault("event_id is a number", spoil=_with("event_id", "1234567")),
    Fault("unknown event_type", spoil=_with("event_type", '"refund"')),
    Fault("event_type in capitals", spoil=_with("event_type", '"ORDER"')),
    Fault("occurred_at without offset", spoil=_with("occurred_at", '"2026-01-01T10:00:00"')),
    Fault("occurred_at on a day that does not exist", spoil=_with("occurred_at", '"2026-02-30T10:00:00Z"')),
    Fault("occurred_at in words", spoil=_with("occurred_at", '"yesterday"')),
    Fault("occurred_at in seconds since 1970", spoil=_with("occurred_at", "1767261600")),
    Fault("occurred_at in the future", spoil=_with("occurred_at", '"2999-12-31T23:59:59Z"')),
    Fault("customer_id is null", spoil=_with("customer_id", "null")),
    Fault("order without order_id", "order", _without("order_id")),
    Fault("order without amount", "order", _without("amount")),
    Fault("order without items", "order", _without("items")),
    Fault("order with no item", "order", _with("items", "[]")),
    Fault("amount is a string", "order", _with("amount", '"12.50"')),
    Fault("amount is NaN", "order", _with("amount", "NaN"), unreadable=True),
    Fault("amount is negative", "payment", _with("amount", "-5.00")),
    Fault("amount has too many decimals", "payment", _with("amount", f"9.{'1' * (_DECIMALS + 1)}")),
    Fault("amount is not the sum of the items", "order", _two_cents_off),
    Fault("quantity is zero", "order", _with_item('"sku":"KET-1","quantity":0,"unit_price":9.90', "0.00")),
    Fault(
        "quantity is broken", "order", _with_item('"sku":"KET-1","quantity":0.5,"unit_price":9.90', "4.95")
    ),
    Fault("price is negative", "order", _with_item('"sku":"KET-1","quantity":1,"unit_price":-9.90', "-9.90")),
    Fault("item without sku", "order", _with_item('"quantity":1,"unit_price":9.90', "9.90")),
    Fault("currency in small letters", "payment", _with("currency", '"eur"')),
    Fault("payment without payment_id", "payment", _without("payment_id")),
    Fault("unknown method", "payment", _with("method", '"cheque"')),
    Fault("unknown status", "payment", _with("status", '"pending"')),
    Fault("activity without session_id", "activity", _without("session_id")),
    Fault("empty action", "activity", _with("action", '""')),
    Fault("action too long", "activity", _with("action", f'"{"a" * (_ACTION_LENGTH + 1)}"')),
)
