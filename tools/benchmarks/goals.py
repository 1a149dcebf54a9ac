"""What the project wants of its speed, and whether the last measurements show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tools.benchmarks import cold_start, senders
from tools.benchmarks.load_test import COUNT

Results = Mapping[str, Any]


@dataclass(frozen=True)
class Goal:
    """A bound on a figure of one benchmark's results: ``figure`` must be at most, or at least, ``bound``.

    ``figure`` raises KeyError where the results do not hold what it needs.
    """

    benchmark: str
    text: str
    figure: Callable[[Results], float]
    bound: float
    at_least: bool = False

    def met(self, results: Results) -> bool:
        """Whether the results show it."""
        figure = self.figure(results)
        return figure >= self.bound if self.at_least else figure <= self.bound


def _median(results: Results, *path: str) -> float:
    found: Any = results
    for step in path:
        found = found[step]
    return float(found["median"])


def _cpu(kb: str) -> Callable[[Results], float]:
    return lambda r: _median(r, kb, "ours", "cpu_ms") / _median(r, kb, "powertools", "cpu_ms")


def _cold(form: str, what: str) -> Callable[[Results], float]:
    return lambda r: _median(r, "ours", form, what) / _median(r, "powertools", form, what)


def _better(kb: str, rival: str) -> Callable[[Results], float]:
    def figure(results: Results) -> float:
        ways = results[kb]["sink"]
        return max(
            _median(ways, rival, what) / _median(ways, senders.OURS, what) for what in ("cpu_ms", "wall_ms")
        )

    return figure


def _ceiling(kb: str) -> Callable[[Results], float]:
    def figure(results: Results) -> float:
        ways = results[kb]["emulator"]
        most = max(_median(ways, way, "events_per_second") for way in ways if way.startswith("prepared"))
        return _median(ways, senders.OURS, "events_per_second") / most

    return figure


def _throughput(kb: str) -> Callable[[Results], float]:
    what = "events_per_second"
    return lambda r: _median(r, kb, "ours", what) / _median(r, kb, "powertools", what)


def _stored(kb: str) -> Callable[[Results], float]:
    return lambda r: float(r[kb]["powertools"]["valid"]["item_bytes"] / r[kb]["ours"]["valid"]["item_bytes"])


def _beside_the_archive(results: Results) -> float:
    rates = results["end_to_end"]
    return _median(rates, "with", "events_per_second") / _median(rates, "without", "events_per_second")


def _whole(results: Results) -> Results:
    """A headline run of all its events; a shorter one (COUNT=) says nothing of the goal."""
    if results["count"] < COUNT:
        raise KeyError("count")
    return results


GOALS = (
    Goal("handler", "handler CPU at 1 KB, of Powertools + Pydantic's", _cpu("1"), 1 / 3),
    Goal("handler", "handler CPU at 200 KB, of Powertools + Pydantic's", _cpu("200"), 1.3),
    Goal("footprint", "times fewer bytes stored at 200 KB", _stored("200"), 2.5, at_least=True),
    Goal(
        "cold_start",
        "import CPU of the zip, of Powertools + Pydantic's",
        _cold(cold_start.SOURCE, "import_cpu_ms"),
        0.5,
    ),
    Goal(
        "cold_start",
        "peak memory of the import, of Powertools + Pydantic's",
        _cold(cold_start.SOURCE, "peak_mb"),
        0.5,
    ),
    *(
        Goal("producer", f"times better than a {way} loop at {kb} KB", _better(kb, way), bound, at_least=True)
        for way, bound in ((senders.SINGLE, 10), (senders.BATCHED, 2))
        for kb in ("1", "200")
    ),
    *(
        Goal("producer", f"of the emulator's ceiling at {kb} KB", _ceiling(kb), 0.9, at_least=True)
        for kb in ("1", "200")
    ),
    Goal(
        "end_to_end", "times Powertools + Pydantic's events/s at 1 KB", _throughput("1"), 2.5, at_least=True
    ),
    Goal(
        "end_to_end", "times Powertools + Pydantic's events/s at 200 KB", _throughput("200"), 1, at_least=True
    ),
    Goal("archive", "of the events/s without the archive, at 1 KB", _beside_the_archive, 0.9, at_least=True),
    Goal("headline", "seconds of the headline run", lambda r: float(_whole(r)["seconds"]), 150),
    Goal(
        "headline",
        "GB of memory in the emulator",
        lambda r: float(_whole(r)["peak_mb"]["emulator"]) / 1024,
        8,
    ),
)
