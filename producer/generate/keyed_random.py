"""Random choices that are the same on every machine, in every process and in every version of Python."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")

_REFILL_BELOW = 1 << 64


class KeyedRandom:
    """A stream of random choices that depends on ``key`` and ``index`` alone.

    ``random.Random`` is not used because seeding one per event is slow, and because Python promises the same
    values across versions for its ``random()`` only.
    """

    __slots__ = ("_block", "_pool", "hex_id")

    def __init__(self, key: bytes, index: int) -> None:
        """``key`` has at most 64 bytes (blake2b's limit); ``hex_id`` is 32 hex digits, unique to the pair."""
        self._block = blake2b(index.to_bytes(8, "big"), key=key).digest()
        self.hex_id = self._block[:16].hex()
        self._pool = int.from_bytes(self._block[16:], "big")

    def randbelow(self, bound: int) -> int:
        """Return an integer from 0 to ``bound`` - 1; ``bound`` must be far below 2**64 to avoid bias."""
        if self._pool < _REFILL_BELOW:
            self._block = blake2b(self._block).digest()
            self._pool = int.from_bytes(self._block, "big")
        self._pool, value = divmod(self._pool, bound)
        return value

    def choice(self, options: Sequence[T]) -> T:
        """Return one of ``options``."""
        return options[self.randbelow(len(options))]
