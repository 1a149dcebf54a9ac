"""What each message of a run is: a new event, an invalid one, or a copy of an earlier one.

The shares are held exactly rather than on average: of 1,000 messages at an invalid ratio of 0.05, 50 are
invalid. What message number n is depends on n alone, so that any process can make any message, a run of 2,000
begins with the messages of a run of 1,000, and a resumed run continues the same one.
"""

from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from itertools import permutations

from producer.generate.draws import KeyedRandom

# 40% orders, 20% payments, 40% activities, exactly so in every five valid events.
EVENT_MIX = ("order", "order", "payment", "activity", "activity")
_ARRANGEMENTS = sorted(set(permutations(EVENT_MIX)))
_ORDERS_PER_BLOCK = EVENT_MIX.count("order")
# A copy follows its original at up to this many valid events' distance: often another batch and another
# connection, so that copies meet in one invocation, in two, and in the wrong order.
COPY_REACH = 500


class Role(Enum):
    """Why a message is sent."""

    VALID = "valid"
    INVALID = "invalid"
    COPY = "copy"


@dataclass(frozen=True)
class Ratios:
    """Exact shares, 0 to 1: invalid and duplicate of all messages, large of the valid orders.

    Copies are copies of valid events, so where there are duplicates, invalid + duplicate stays below 1.
    """

    invalid: Fraction = Fraction(0)
    duplicate: Fraction = Fraction(0)
    large: Fraction = Fraction(0)


class Plan:
    """Tells for each message number what it is. ``key`` is the run's (see ``producer.generate.draws``)."""

    def __init__(self, shares: Ratios, key: bytes) -> None:
        self._copies = _Share(shares.duplicate)
        self._invalid_of_new = _Share(shares.invalid / (1 - shares.duplicate))
        self._large_orders = _Share(shares.large)
        self._key = key[:32] + b"copies"
        self._salt = int.from_bytes(key[:4], "big")

    def role(self, number: int) -> tuple[Role, int]:
        """The role of message ``number``, and which one of its role it is.

        For a copy, that is which valid event it copies.
        """
        copies = self._copies.before(number)
        new = number - copies
        invalid = self._invalid_of_new.before(new)
        if self._copies.before(number + 1) > copies:
            valid = new - invalid
            back = KeyedRandom(self._key, number).below(min(valid, COPY_REACH))
            return Role.COPY, valid - 1 - back
        if self._invalid_of_new.before(new + 1) > invalid:
            return Role.INVALID, invalid
        return Role.VALID, new - invalid

    def valid_event(self, number: int) -> tuple[str, bool]:
        """The event type of valid event ``number``, and whether it is a large order."""
        block, position = divmod(number, len(EVENT_MIX))
        # Fibonacci hashing: blocks that follow each other get unlike arrangements.
        arrangement = _ARRANGEMENTS[((block * 2654435769 + self._salt) >> 16) % len(_ARRANGEMENTS)]
        event_type = arrangement[position]
        if event_type != "order":
            return event_type, False
        order = block * _ORDERS_PER_BLOCK + arrangement[:position].count("order")
        return event_type, self._large_orders.before(order + 1) > self._large_orders.before(order)


class _Share:
    """Chooses an exact share of numbers, evenly spread."""

    def __init__(self, share: Fraction) -> None:
        self._numerator, self._denominator = share.numerator, share.denominator

    def before(self, number: int) -> int:
        """How many of the numbers below ``number`` are chosen."""
        return number * self._numerator // self._denominator
