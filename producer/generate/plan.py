"""The plan of a run: which message is a new event, an invalid one, or a copy of an earlier one.

Ratios are exact: of 1,000 messages at an invalid ratio of 0.05, exactly 50 are invalid. The role of a message
depends on its number alone. Any process can therefore make any message, a run of 2,000 begins with the
messages of a run of 1,000, and a resumed run continues the same plan.
"""

from bisect import bisect_left
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from producer.generate.keyed_random import KeyedRandom

# A copy repeats one of this many latest valid events. It therefore often travels in another batch and on
# another connection, so that one invocation, two invocations, or a reversed order occur.
COPY_REACH = 500
_MAX_MESSAGES = 1 << 62


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

    def is_large(self, order: int) -> bool:
        """Return whether an order is large, by its position among the valid orders."""
        return self._large_orders.selects(order)

    def count_for(self, valid: int) -> int:
        """Return the smallest number of messages that contains a number of valid events."""
        return bisect_left(range(_MAX_MESSAGES), valid, key=self.count_valid)

    def count_valid(self, messages: int) -> int:
        """Return how many of the first messages are valid events, copies not included."""
        new = messages - self._copies.count_below(messages)
        return new - self._invalid_of_new.count_below(new)


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
