"""Violations of the contract: what is wrong with an event, and where."""

from __future__ import annotations

from decimal import Context, Decimal
from typing import Any, NamedTuple

LISTED_AT_MOST = 1000
# A path may hold names that a sender chose; more would not fit an alert of ten reasons.
_LONGEST_PATH = 256

# A location is () for the event itself, or (parent location, key). It is rendered only for a violation.
Location = tuple[Any, ...]

_READABLE = Context(prec=40, traps=[])


class Violation(NamedTuple):
    """One broken rule: a JSON path (``$.items[0].sku``), the rule's name, and the reason."""

    path: str
    rule: str
    reason: str


class Violations(list[Violation]):
    """The violations of one event, in the order found. An empty list means valid.

    The list has the first 1,000 and ``total`` counts all. That bounds the memory for a hostile event with a
    million violations, and the size of its rejected item.
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
    """Return a location as a JSON path, cut to 256 characters."""
    keys: list[Any] = []
    while location:
        location, key = location
        keys.append(key)
    path = "$"
    for key in reversed(keys):
        path += f"[{key}]" if isinstance(key, int) else f".{key}"
        if len(path) > _LONGEST_PATH:
            return f"{path[: _LONGEST_PATH - 3]}..."
    return path


def readable(number: int | Decimal) -> str:
    """Return a number for people: in full if that is short, else in scientific notation."""
    value = _READABLE.normalize(Decimal(number))
    return f"{value:f}" if -10 < value.adjusted() < 40 else str(value)
