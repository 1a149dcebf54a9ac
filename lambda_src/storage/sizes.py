"""The size of an item as DynamoDB counts it, and amounts as DynamoDB stores them."""

from decimal import Context, Decimal
from typing import Any

Item = dict[str, Any]
"""An item in DynamoDB's JSON (``{"name": {"S": "value"}}``); binary values are bytes."""

# 400 KB, attribute names and values together (DynamoDB developer guide, "Service quotas").
ITEM_LIMIT = 400 * 1024

_STORABLE = Context(prec=38)


def item_size(item: Item) -> int:
    """Return the bytes that DynamoDB counts for an item, or slightly more.

    Names and strings count as UTF-8, binary as bytes, a number as half its digits plus at most 2, a list or a
    map as 3 plus 1 for each element (DynamoDB developer guide, "DynamoDB item sizes and formats").
    """
    size = 0
    for name, value in item.items():
        # Most values are short ASCII texts. This loop takes half the time of a sum of `value_size`.
        text = value.get("S")
        size += len(text) if text is not None and text.isascii() else value_size(value)
        size += len(name) if name.isascii() else len(name.encode())
    return size


def value_size(value: dict[str, Any]) -> int:
    """Return the bytes that DynamoDB counts for one attribute's value, or slightly more."""
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "B":
        return len(content)
    if kind == "N":
        return len(content) // 2 + 3
    if kind == "SS":
        return sum(len(text.encode()) for text in content)
    if kind == "L":
        return 3 + sum(1 + value_size(element) for element in content)
    if kind == "M":
        return 3 + len(content) + item_size(content)
    return 1


def decimal_text(amount: int | Decimal) -> str:
    """Return a valid amount as digits, without an exponent and without trailing zeros."""
    return f"{_STORABLE.normalize(Decimal(amount)):f}"
