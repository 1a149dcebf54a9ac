"""What is wrong with an event, and where."""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Any, NamedTuple

LISTED_AT_MOST = 1000

# A location is () for the event itself, or (parent location, key): cheap to build on the hot path,
# rendered only when something is wrong.
Location = tuple[Any, ...]

_READABLE = Context(prec=40, traps=[])


class Violation(NamedTuple):
    """One broken rule: a JSON path (``$.items[0].sku``), the rule's name, and a reason in plain words."""

    path: str
    rule: str
    reason: str


class Violations(list[Violation]):
    """Every violation of one event, in the order found; empty means valid.

    The list holds the first 1,000; ``total`` counts them all, so that a hostile 1 MiB event with a
    million faults costs neither the function's memory nor the rejected item its size limit.
    """

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def add(self, location: Location, rule: str, reason: str) -> None:
        """Record a violation found at a location."""
        self.total += 1
        if len(self) < LISTED_AT_MOST:
            self.append(Violation(render(location), rule, reason))


def render(location: Location) -> str:
    """Write a location as a JSON path."""
    keys: list[Any] = []
    while location:
        location, key = location
        keys.append(key)
    return "$" + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in reversed(keys))


def shown(number: int | Decimal) -> str:
    """Write a number for a person: in full where that is short, in scientific notation otherwise."""
    value = _READABLE.normalize(Decimal(number))
    return f"{value:f}" if -10 < value.adjusted() < 40 else str(value)
