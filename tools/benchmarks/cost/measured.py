"""Results of ``make bench`` for any size of event, by linear interpolation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from tools.benchmarks import results


@dataclass(frozen=True)
class Measured:
    """The results of the benchmarks ``footprint`` and ``handler``, and the archiver's part of ``archive``."""

    footprint: Mapping[str, Any]
    handler: Mapping[str, Any]
    archive: Mapping[str, Any]

    @classmethod
    def load(cls) -> Self:
        """Read the results in the checkout. Raises FileNotFoundError if a benchmark has never run."""
        footprint, handler, archive = (
            results.load(name)["results"] for name in ("footprint", "handler", "archive")
        )
        return cls(footprint, handler, archive["handler"])

    def item_bytes(self, design: str, kb: float, kind: str) -> float:
        """Return the bytes of an event's item."""
        return _interpolate_results(self.footprint, kb, lambda designs: designs[design][kind]["item_bytes"])

    def logged_bytes(self, design: str, kb: float, kind: str) -> float:
        """Return the bytes that the function logs per event of a full batch."""
        return _interpolate_results(
            self.footprint,
            kb,
            lambda designs: designs[design][kind]["logged"] / designs[design][kind]["batch"],
        )

    def cpu_ms(self, design: str, kb: float) -> float:
        """Return the handler's CPU milliseconds per event on the measured machine."""
        return _interpolate_results(self.handler, kb, lambda designs: designs[design]["cpu_ms"]["median"])

    def archived_bytes(self, kb: float) -> float:
        """Return the bytes of an event in an object of the archive."""
        return _interpolate_results(self.archive, kb, lambda result: result["share"]["median"]) * kb * 1024

    def archive_cpu_ms(self, kb: float) -> float:
        """Return the archiver's CPU milliseconds per event on the measured machine."""
        return _interpolate_results(self.archive, kb, lambda result: result["cpu_ms"]["median"])

    def metrics(self, design: str) -> int:
        """Return the number of custom metrics that the function's log lines create."""
        return max(int(designs[design]["valid"].get("metrics", 0)) for designs in self.footprint.values())


def _interpolate_results(results: Mapping[str, Any], kb: float, value: Callable[[Any], float]) -> float:
    return interpolate({float(size): value(result) for size, result in results.items()}, kb)


def interpolate(points: Mapping[float, float], x: float) -> float:
    """Return the value at ``x`` on the lines between the points, extended beyond the first and last point."""
    known = sorted(points)
    if len(known) == 1:
        return points[known[0]]
    above = next((index for index, point in enumerate(known) if point >= x), len(known) - 1)
    low, high = known[max(0, above - 1)], known[max(1, above)]
    return points[low] + (points[high] - points[low]) * (x - low) / (high - low)
