"""What goes through the pipeline."""

from __future__ import annotations

from dataclasses import dataclass

MONTH_SECONDS = 365 * 24 * 3600 / 12


@dataclass(frozen=True)
class Workload:
    """Events a second, and what they are like.

    ``sizes`` are (KB of 1,024 bytes, share) whose shares add up to 1. ``large``, ``invalid``, ``duplicates``
    and ``incompressible`` are shares of all events, 0 to 1; an incompressible payload is stored as it came.
    ``batch`` is how full batches are on average, which a quiet queue does not fill. ``memory_mb`` is the
    function's. Raises ValueError for shares that make no sense.
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
            raise ValueError("the shares of the sizes do not add up to 1")
        if not all(0 <= share <= 1 for share in (self.incompressible, *self.kinds().values())):
            raise ValueError("large, invalid and duplicates are shares, together at most 1")
        if self.batch < 1 or any(kb <= 0 for kb, _ in self.sizes):
            raise ValueError("a batch has 1 event or more, and every event a size above 0")

    def kinds(self) -> dict[str, float]:
        """Shares of the kinds of events, which add up to 1."""
        plain = 1 - self.large - self.invalid - self.duplicates
        return {
            "valid": plain,
            "large": self.large,
            "invalid": self.invalid,
            "duplicate": self.duplicates,
        }

    def batch_of(self, kb: float) -> float:
        """Events in an invocation: what Lambda's 6 MB leave of the batch, which is 5 MB of bodies."""
        return max(1.0, min(self.batch, 5 * 1024 // kb))
