"""The rules that JSON Schema cannot express. The schema names them, with parameters, under `x-rules`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from typing import Any, TypeGuard

from contract.timestamps import parse_rfc3339
from contract.violations import Location, Violations, readable

Rule = Callable[[dict[str, Any], Location, Violations, datetime], None]

# Quantities and prices are below 1e15, so 120 digits are enough for any sum of their products. They also
# bound the work for a price such as 1e-999999.
_SUM = Context(prec=120, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])


def _not_in_future(parameters: Mapping[str, Any]) -> Rule:
    field: str = parameters["field"]
    tolerance = timedelta(seconds=parameters["tolerance_seconds"])

    def check(event: dict[str, Any], at: Location, found: Violations, now: datetime) -> None:
        text = event.get(field)
        moment = parse_rfc3339(text) if isinstance(text, str) else None
        if moment is not None and moment - now > tolerance:
            minutes = tolerance.total_seconds() / 60
            found.add((at, field), "not_in_future", f"is more than {minutes:g} minutes in the future")

    return check


def _amount_equals_items(parameters: Mapping[str, Any]) -> Rule:
    field: str = parameters["field"]
    tolerance = Decimal(parameters["tolerance"])

    def check(event: dict[str, Any], at: Location, found: Violations, now: datetime) -> None:
        amount, items = event.get(field), event.get("items")
        if not _in_range(amount) or not isinstance(items, list):
            return
        total = Decimal(0)
        for item in items:
            if not isinstance(item, dict):
                return
            quantity, price = item.get("quantity"), item.get("unit_price")
            if not _in_range(quantity) or not _in_range(price):
                return
            total = _SUM.add(total, _SUM.multiply(quantity, price))
        # The schema's own checks report an empty list.
        if items and abs(_SUM.subtract(total, amount)) > tolerance:
            found.add(
                (at, field),
                "amount_equals_items",
                f"is {readable(amount)}, but the items add up to {readable(total)}",
            )

    return check


def _in_range(value: Any) -> TypeGuard[int | Decimal]:
    return (type(value) is int or isinstance(value, Decimal)) and 0 <= value < Decimal("1e15")


RULES: dict[str, Callable[[Mapping[str, Any]], Rule]] = {
    "not_in_future": _not_in_future,
    "amount_equals_items": _amount_equals_items,
}
