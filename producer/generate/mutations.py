"""The ways in which the producer makes an event invalid. A test checks that the contract rejects each one."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import contract
from producer.generate.generators import Fields

_ID_LENGTH: int = contract.SCHEMA["properties"]["event_id"]["maxLength"]
# A contract of another domain has neither (CONTRIBUTING.md).
_DEFINITIONS = contract.SCHEMA["$defs"]
_ACTION: dict[str, int] = _DEFINITIONS.get("activity", {}).get("properties", {}).get("action", {})
_ACTION_LENGTH = _ACTION.get("maxLength", 0)
_DECIMALS: int = _DEFINITIONS.get("amount", {}).get("x-maxDecimals", 0)


@dataclass(frozen=True)
class Mutation:
    """One way to make an event invalid.

    ``event_type`` is the type that it needs, None for any. ``apply`` changes the fields. ``prefix`` and
    ``suffix`` go around the object, and ``cut`` bytes are removed at the end. ``unreadable`` means that the
    result is not a JSON object, so that no reader can find an event_id in it.
    """

    name: str
    event_type: str | None = None
    apply: Callable[[Fields], None] = lambda fields: None  # noqa: ARG005
    prefix: str = ""
    suffix: str = ""
    cut: int = 0
    unreadable: bool = False


def string_field(fields: Fields, name: str) -> str | None:
    """Return the string in a field, or None if the field is missing or is not a string."""
    value = json.loads(fields.get(name, "null"))
    return value if isinstance(value, str) else None


def unknown_event_type() -> str:
    """Return a word that is not an event type, whatever types the contract has."""
    word = "refund"
    while word in contract.EVENT_TYPES:
        word = f"unknown_{word}"
    return word


def _remove(name: str) -> Callable[[Fields], None]:
    def apply(fields: Fields) -> None:
        del fields[name]

    return apply


def _replace(name: str, json_text: str) -> Callable[[Fields], None]:
    def apply(fields: Fields) -> None:
        fields[name] = json_text

    return apply


def _replace_items(item: str, amount: str) -> Callable[[Fields], None]:
    def apply(fields: Fields) -> None:
        fields["items"] = f"[{{{item}}}]"
        fields["amount"] = amount

    return apply


def _add_two_cents(fields: Fields) -> None:
    fields["amount"] = str(Decimal(fields["amount"]) + Decimal("0.02"))


_ORDER, _PAYMENT, _ACTIVITY = contract.ORDER, "payment", "activity"
MUTATIONS = (
    Mutation("truncated JSON", cut=2, unreadable=True),
    Mutation("a log line instead of JSON", prefix="Order received: ", unreadable=True),
    Mutation("a list instead of an object", prefix="[", suffix="]", unreadable=True),
    Mutation("two objects in one body", suffix="{}", unreadable=True),
    Mutation("no event_id", apply=_remove("event_id")),
    Mutation("no event_type", apply=_remove("event_type")),
    Mutation("no occurred_at", apply=_remove("occurred_at")),
    Mutation("no customer_id", apply=_remove("customer_id")),
    Mutation("empty event_id", apply=_replace("event_id", '""')),
    Mutation("event_id too long", apply=_replace("event_id", f'"{"e" * (_ID_LENGTH + 1)}"')),
    Mutation("event_id is a number", apply=_replace("event_id", "1234567")),
    Mutation("unknown event_type", apply=_replace("event_type", f'"{unknown_event_type()}"')),
    Mutation("event_type in capitals", apply=_replace("event_type", f'"{_ORDER.upper()}"')),
    Mutation("occurred_at without offset", apply=_replace("occurred_at", '"2026-01-01T10:00:00"')),
    Mutation("occurred_at on an impossible day", apply=_replace("occurred_at", '"2026-02-30T10:00:00Z"')),
    Mutation("occurred_at in words", apply=_replace("occurred_at", '"yesterday"')),
    Mutation("occurred_at in seconds since 1970", apply=_replace("occurred_at", "1767261600")),
    Mutation("occurred_at in the future", apply=_replace("occurred_at", '"2999-12-31T23:59:59Z"')),
    Mutation("customer_id is null", apply=_replace("customer_id", "null")),
    Mutation("order without order_id", _ORDER, _remove("order_id")),
    Mutation("order without amount", _ORDER, _remove("amount")),
    Mutation("order without items", _ORDER, _remove("items")),
    Mutation("order with an empty list of items", _ORDER, _replace("items", "[]")),
    Mutation("amount is a string", _ORDER, _replace("amount", '"12.50"')),
    Mutation("amount is NaN", _ORDER, _replace("amount", "NaN"), unreadable=True),
    Mutation("amount is negative", _PAYMENT, _replace("amount", "-5.00")),
    Mutation("amount has too many decimals", _PAYMENT, _replace("amount", f"9.{'1' * (_DECIMALS + 1)}")),
    Mutation("amount is not the sum of the items", _ORDER, _add_two_cents),
    Mutation(
        "quantity is zero", _ORDER, _replace_items('"sku":"KET-1","quantity":0,"unit_price":9.90', "0.00")
    ),
    Mutation(
        "quantity is a fraction",
        _ORDER,
        _replace_items('"sku":"KET-1","quantity":0.5,"unit_price":9.90', "4.95"),
    ),
    Mutation(
        "price is negative", _ORDER, _replace_items('"sku":"KET-1","quantity":1,"unit_price":-9.90', "-9.90")
    ),
    Mutation("item without sku", _ORDER, _replace_items('"quantity":1,"unit_price":9.90', "9.90")),
    Mutation("currency in small letters", _PAYMENT, _replace("currency", '"eur"')),
    Mutation("payment without payment_id", _PAYMENT, _remove("payment_id")),
    Mutation("unknown method", _PAYMENT, _replace("method", '"cheque"')),
    Mutation("unknown status", _PAYMENT, _replace("status", '"pending"')),
    Mutation("activity without session_id", _ACTIVITY, _remove("session_id")),
    Mutation("empty action", _ACTIVITY, _replace("action", '""')),
    Mutation("action too long", _ACTIVITY, _replace("action", f'"{"a" * (_ACTION_LENGTH + 1)}"')),
)
