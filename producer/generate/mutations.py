"""The ways in which the producer makes an event invalid. A test checks that the contract rejects each one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
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

    ``event_type`` is the type that it needs, None for any. ``remove`` names a field, and ``replace`` has the
    JSON text of fields. ``prefix`` and ``suffix`` go around the object, and ``cut`` bytes are removed at the
    end. ``unreadable`` means that the result is not a JSON object, so that no reader can find an event_id in
    it.
    """

    name: str
    event_type: str | None = None
    remove: str | None = None
    replace: Mapping[str, str] = field(default_factory=dict)
    add_to_amount: str = ""
    prefix: str = ""
    suffix: str = ""
    cut: int = 0
    unreadable: bool = False

    def apply(self, fields: Fields) -> None:
        """Change the fields of an event."""
        if self.remove:
            del fields[self.remove]
        fields.update(self.replace)
        if self.add_to_amount:
            fields["amount"] = str(Decimal(fields["amount"]) + Decimal(self.add_to_amount))


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


def _items(item: str, amount: str) -> Fields:
    return {"items": f"[{{{item}}}]", "amount": amount}


_ORDER, _PAYMENT, _ACTIVITY = contract.ORDER, "payment", "activity"
MUTATIONS = (
    Mutation("truncated JSON", cut=2, unreadable=True),
    Mutation("a log line instead of JSON", prefix="Order received: ", unreadable=True),
    Mutation("a list instead of an object", prefix="[", suffix="]", unreadable=True),
    Mutation("two objects in one body", suffix="{}", unreadable=True),
    Mutation("no event_id", remove="event_id"),
    Mutation("no event_type", remove="event_type"),
    Mutation("no occurred_at", remove="occurred_at"),
    Mutation("no customer_id", remove="customer_id"),
    Mutation("empty event_id", replace={"event_id": '""'}),
    Mutation("event_id too long", replace={"event_id": f'"{"e" * (_ID_LENGTH + 1)}"'}),
    Mutation("event_id is a number", replace={"event_id": "1234567"}),
    Mutation("unknown event_type", replace={"event_type": f'"{unknown_event_type()}"'}),
    Mutation("event_type in capitals", replace={"event_type": f'"{_ORDER.upper()}"'}),
    Mutation("occurred_at without offset", replace={"occurred_at": '"2026-01-01T10:00:00"'}),
    Mutation("occurred_at on an impossible day", replace={"occurred_at": '"2026-02-30T10:00:00Z"'}),
    Mutation("occurred_at in words", replace={"occurred_at": '"yesterday"'}),
    Mutation("occurred_at in seconds since 1970", replace={"occurred_at": "1767261600"}),
    Mutation("occurred_at in the future", replace={"occurred_at": '"2999-12-31T23:59:59Z"'}),
    Mutation("customer_id is null", replace={"customer_id": "null"}),
    Mutation("order without order_id", _ORDER, remove="order_id"),
    Mutation("order without amount", _ORDER, remove="amount"),
    Mutation("order without items", _ORDER, remove="items"),
    Mutation("order with an empty list of items", _ORDER, replace={"items": "[]"}),
    Mutation("amount is a string", _ORDER, replace={"amount": '"12.50"'}),
    Mutation("amount is NaN", _ORDER, replace={"amount": "NaN"}, unreadable=True),
    Mutation("amount is negative", _PAYMENT, replace={"amount": "-5.00"}),
    Mutation("amount has too many decimals", _PAYMENT, replace={"amount": f"9.{'1' * (_DECIMALS + 1)}"}),
    Mutation("amount is not the sum of the items", _ORDER, add_to_amount="0.02"),
    Mutation(
        "quantity is zero", _ORDER, replace=_items('"sku":"KET-1","quantity":0,"unit_price":9.90', "0.00")
    ),
    Mutation(
        "quantity is a fraction",
        _ORDER,
        replace=_items('"sku":"KET-1","quantity":0.5,"unit_price":9.90', "4.95"),
    ),
    Mutation(
        "price is negative", _ORDER, replace=_items('"sku":"KET-1","quantity":1,"unit_price":-9.90', "-9.90")
    ),
    Mutation("item without sku", _ORDER, replace=_items('"quantity":1,"unit_price":9.90', "9.90")),
    Mutation("currency in small letters", _PAYMENT, replace={"currency": '"eur"'}),
    Mutation("payment without payment_id", _PAYMENT, remove="payment_id"),
    Mutation("unknown method", _PAYMENT, replace={"method": '"cheque"'}),
    Mutation("unknown status", _PAYMENT, replace={"status": '"pending"'}),
    Mutation("activity without session_id", _ACTIVITY, remove="session_id"),
    Mutation("empty action", _ACTIVITY, replace={"action": '""'}),
    Mutation("action too long", _ACTIVITY, replace={"action": f'"{"a" * (_ACTION_LENGTH + 1)}"'}),
)
