"""The plan of a run: which message is a new event, an invalid one, or a copy of an earlier one.

Ratios are exact: of 1,000 messages at an invalid ratio of 0.05, exactly 50 are invalid. The role of a message
depends on its number alone. Any process can therefore make any message, a run of 2,000 begins with the
messages of a run of 1,000, and a resumed run continues the same plan.
"""

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from itertools import permutations

from contract import ORDER
from producer.generate.generators import GENERATORS
from producer.generate.keyed_random import KeyedRandom

# The event types of a block of consecutive valid events, in any order.
EVENT_MIX = tuple(name for name, generator in GENERATORS.items() for _ in range(generator.weight))
_ARRANGEMENTS = sorted(set(permutations(EVENT_MIX)))
_ORDERS_PER_BLOCK = EVENT_MIX.count(ORDER)
# A copy repeats one of this many latest valid events. It therefore often travels in another batch and on
# another connection, so that one invocation, two invocations, or a reversed order occur.
COPY_REACH = 500


class Role(Enum):
    """The reason why a message is sent."""

    VALID = "valid"
    INVALID = "invalid"
    COPY = "copy"


@dataclass(frozen=True)
class Ratios:
    """Exact ratios, 0 to 1: invalid and duplicate of all messages, large of the valid orders.

    If there are duplicates, invalid + duplicate must be below 1, because copies are copies of valid events.
    """

    invalid: Fraction = Fraction(0)
    duplicate: Fraction = Fraction(0)
    large: Fraction = Fraction(0)


class Plan:
    """Returns the role of each message number. ``key`` is the run's key (`RunSpec.key`)."""

    def __init__(self, ratios: Ratios, key: bytes) -> None:
        self._copies = _EvenSelection(ratios.duplicate)
        self._invalid_of_new = _EvenSelection(ratios.invalid / (1 - ratios.duplicate))
        self._large_orders = _EvenSelection(ratios.large)
        self._key = key[:32] + b"copies"
        self._salt = int.from_bytes(key[:4], "big")

    def role(self, number: int) -> tuple[Role, int]:
        """Return the role of message ``number``, and its position among the messages of that role.

        For a copy, return the position of the valid event that it copies.
        """
        copies = self._copies.count_below(number)
        new = number - copies
        invalid = self._invalid_of_new.count_below(new)
        if self._copies.selects(number):
            valid = new - invalid
            distance = KeyedRandom(self._key, number).randbelow(min(valid, COPY_REACH))
            return Role.COPY, valid - 1 - distance
        if self._invalid_of_new.selects(new):
            return Role.INVALID, invalid
        return Role.VALID, new - invalid

    def valid_event(self, position: int) -> tuple[str, bool]:
        """Return the event type of a valid event, and whether it is a large order."""
        block, offset = divmod(position, len(EVENT_MIX))
        # Fibonacci hashing gives consecutive blocks different arrangements.
        arrangement = _ARRANGEMENTS[((block * 2654435769 + self._salt) >> 16) % len(_ARRANGEMENTS)]
        event_type = arrangement[offset]
        if event_type != ORDER:
            return event_type, False
        order = block * _ORDERS_PER_BLOCK + arrangement[:offset].count(ORDER)
        return event_type, self._large_orders.selects(order)


class _EvenSelection:
    """Selects an exact, evenly spread ratio of the numbers 0, 1, 2, ..."""

    def __init__(self, ratio: Fraction) -> None:
        self._numerator, self._denominator = ratio.numerator, ratio.denominator

    def count_below(self, number: int) -> int:
        """Return how many of the numbers below ``number`` are selected."""
        return number * self._numerator // self._denominator

    def selects(self, number: int) -> bool:
        """Return whether ``number`` is selected."""
        # The same as count_below(number + 1) > count_below(number), with one division less.
        return number * self._numerator % self._denominator >= self._denominator - self._numerator
