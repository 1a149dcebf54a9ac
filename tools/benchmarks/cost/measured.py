"""What `make bench` measured, for any size of event: between two measured sizes on a straight line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tools.benchmarks import results


@dataclass(frozen=True)
class Measured:
    """Results of the benchmarks ``footprint`` and ``handler``, and the archiver's part of ``archive``."""

    footprint: Mapping[str, Any]
    handler: Mapping[str, Any]
    archive: Mapping[str, Any]

    @classmethod
    def load(cls) -> Measured:
        """The results in the checkout. Raises FileNotFoundError where a benchmark was not run."""
        footprint, handler, archive = (
            results.load(name)["results"] for name in ("footprint", "handler", "archive")
        )
        return cls(footprint, handler, archive["handler"])

    def item_bytes(self, design: str, kb: float, kind: str) -> float:
        """Bytes of an event's item."""
        return self._of_footprint(kb, lambda sizes: sizes[design][kind]["item_bytes"])

    def logged_bytes(self, design: str, kb: float, kind: str) -> float:
        """Bytes that the function logs for each event of a full batch."""
        return self._of_footprint(
            kb, lambda sizes: sizes[design][kind]["logged"] / sizes[design][kind]["batch"]
        )

    def cpu_ms(self, design: str, kb: float) -> float:
        """CPU milliseconds of the handler for each event, on the machine that it was measured on."""
        points = {float(size): found[design]["cpu_ms"]["median"] for size, found in self.handler.items()}
        return on_line(points, kb)

    def archived_bytes(self, kb: float) -> float:
        """Bytes of an event in an object of the archive."""
        return (
            on_line({float(size): found["share"]["median"] for size, found in self.archive.items()}, kb)
            * kb
            * 1024
        )

    def archive_cpu_ms(self, kb: float) -> float:
        """CPU milliseconds of the archiver for each event, on the machine that it was measured on."""
        return on_line({float(size): found["cpu_ms"]["median"] for size, found in self.archive.items()}, kb)

    def metrics(self, design: str) -> int:
        """Custom metrics that the function's log lines make."""
        return max(int(found[design]["valid"].get("metrics", 0)) for found in self.footprint.values())

    def _of_footprint(self, kb: float, of: Callable[[Any], float]) -> float:
        return on_line({float(size): of(found) for size, found in self.footprint.items()}, kb)


def on_line(points: Mapping[float, float], x: float) -> float:
    """The value at ``x`` on straight lines through the points, the first and the last one prolonged."""
    known = sorted(points)
    if len(known) == 1:
        return points[known[0]]
    above = next((place for place, each in enumerate(known) if each >= x), len(known) - 1)
    low, high = known[max(0, above - 1)], known[max(1, above)]
    return points[low] + (points[high] - points[low]) * (x - low) / (high - low)
