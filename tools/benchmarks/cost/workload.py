"""Describe the events that pass through the pipeline."""

from __future__ import annotations

from dataclasses import dataclass

MONTH_SECONDS = 365 * 24 * 3600 / 12


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
        if abs(sum(share for _, share in self.sizes) - 1) > 1e-9:
            raise ValueError("The shares of KB= do not add up to 1.")
        if not all(0 <= share <= 1 for share in (self.incompressible, *self.kinds().values())):
            raise ValueError("LARGE=, INVALID= and DUPLICATES= are shares from 0 to 1, together at most 1.")
        if self.batch < 1 or any(kb <= 0 for kb, _ in self.sizes):
            raise ValueError("A batch has at least 1 event, and every event has a size above 0.")

    def kinds(self) -> dict[str, float]:
        """Return the share of each kind of event. The shares add up to 1."""
        valid = 1 - self.large - self.invalid - self.duplicates
        return {
            "valid": valid,
            "large": self.large,
            "invalid": self.invalid,
            "duplicate": self.duplicates,
        }

    def batch_of(self, kb: float) -> float:
        """Return the events in an invocation. Lambda's limit of 6 MB leaves 5 MB for bodies."""
        return max(1.0, min(self.batch, 5 * 1024 // kb))
