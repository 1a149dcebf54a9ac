"""Random choices that are the same on every machine, in every process and in every version of Python."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")

_REFILL_BELOW = 1 << 64


class KeyedRandom:
    """A stream of random choices that depends on ``key`` and ``index`` alone.

    ``random.Random`` would not do: it takes 10 us to seed one per event, and Python promises the same values
    across versions only for its ``random()``.
    """

    __slots__ = ("_block", "_pool", "identity")

    def __init__(self, key: bytes, index: int) -> None:
        """``key`` has at most 64 bytes (blake2b); ``identity`` is 32 hex digits, unique to the pair."""
        self._block = blake2b(index.to_bytes(8, "big"), key=key).digest()
        self.identity = self._block[:16].hex()
        self._pool = int.from_bytes(self._block[16:], "big")

    def below(self, bound: int) -> int:
        """An integer from 0 to ``bound`` - 1; ``bound`` is far below 2**64, so that no value is favoured."""
        if self._pool < _REFILL_BELOW:
            self._block = blake2b(self._block).digest()
            self._pool = int.from_bytes(self._block, "big")
        self._pool, value = divmod(self._pool, bound)
        return value

    def pick(self, choices: Sequence[T]) -> T:
        """One of ``choices``."""
        return choices[self.below(len(choices))]
