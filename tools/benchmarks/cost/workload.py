"""Describe the events that pass through the pipeline."""

from dataclasses import dataclass
from typing import Any, Self

MONTH_SECONDS = 365 * 24 * 3600 / 12
_MOST_EVENTS, _MOST_KB, _MOST_BATCH = 1_000_000_000, 1024, 10_000


@dataclass(frozen=True)
class Workload:
    """The rate of events, their sizes and kinds.

    ``sizes`` are pairs of KB (1,024 bytes) and share; the shares add up to 1. ``large``, ``invalid``,
    ``duplicates`` and ``incompressible`` are shares of all events. Incompressible ones are stored as sent.
    ``batch`` is the average number of events in a batch, ``memory_mb`` the function's memory.
    Raises ValueError for invalid shares.
    """

    events_per_second: float = 100
    sizes: tuple[tuple[float, float], ...] = ((1, 1.0),)
    large: float = 0.02
    invalid: float = 0.0
    duplicates: float = 0.0
    incompressible: float = 0.0
    batch: float = 10
    memory_mb: int = 512

    def __post_init__(self) -> None:
        # A comparison with NaN is false, so that each condition is one that a valid value fulfils.
        if not 0 < self.events_per_second <= _MOST_EVENTS:
            raise ValueError(f"RATE= is a number of events a second above 0, up to {_MOST_EVENTS:,}.")
        if not all(0 < kb <= _MOST_KB for kb, _ in self.sizes):
            raise ValueError(f"KB= has sizes above 0, up to {_MOST_KB:,}, which is SQS's limit.")
        shares = [share for _, share in self.sizes]
        if not (all(share >= 0 for share in shares) and abs(sum(shares) - 1) <= 1e-9):
            raise ValueError("The shares of KB= are from 0 to 1, and together 1.")
        if not all(0 <= share <= 1 for share in (self.incompressible, *self.kinds().values())):
            raise ValueError("LARGE=, INVALID= and DUPLICATES= are shares from 0 to 1, together at most 1.")
        if not 1 <= self.batch <= _MOST_BATCH:
            raise ValueError(
                f"BATCH= is a number of events from 1 to {_MOST_BATCH:,}, which is Lambda's limit."
            )

    @classmethod
    def of_size(cls, kb: float, **fields: Any) -> Self:
        """Return a workload of events of one size."""
        return cls(sizes=((kb, 1.0),), **fields)

    @property
    def mean_batch(self) -> float:
        """Return the events in an invocation, averaged over the sizes."""
        return sum(share * self.batch_of(kb) for kb, share in self.sizes)

    def kinds(self) -> dict[str, float]:
        """Return the share of each kind of event. The shares add up to 1."""
        kinds = {"large": self.large, "invalid": self.invalid, "duplicate": self.duplicates}
        return {"valid": 1 - sum(kinds.values()), **kinds}

    def batch_of(self, kb: float) -> float:
        """Return the events in an invocation. Lambda's limit of 6 MB leaves 5 MB for bodies."""
        return max(1.0, min(self.batch, 5 * 1024 // kb))
