"""The project's performance goals, checked against the last results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tools.benchmarks import cold_start, senders
from tools.benchmarks.latency import TOP
from tools.benchmarks.load_test import COUNT

Results = Mapping[str, Any]


@dataclass(frozen=True)
class Goal:
    """A goal for a value of one benchmark: at most, or at least, ``bound``.

    ``value`` raises KeyError if the results lack what it needs.
    """

    benchmark: str
    text: str
    value: Callable[[Results], float]
    bound: float
    at_least: bool = False

    def is_met(self, results: Results) -> bool:
        """Return whether the results reach the goal."""
        value = self.value(results)
        return value >= self.bound if self.at_least else value <= self.bound


def _median(results: Results, *path: str) -> float:
    value: Any = results
    for key in path:
        value = value[key]
    return float(value["median"])


def _cpu_ratio(kb: str) -> Callable[[Results], float]:
    return lambda r: _median(r, kb, "ours", "cpu_ms") / _median(r, kb, "powertools", "cpu_ms")


def _peak_ratio(kb: str) -> Callable[[Results], float]:
    return lambda r: float(r[kb]["ours"]["peak_mb"] / r[kb]["powertools"]["peak_mb"])


def _cold_start_ratio(form: str, metric: str) -> Callable[[Results], float]:
    return lambda r: _median(r, "ours", form, metric) / _median(r, "powertools", form, metric)


def _producer_ratio(kb: str, way: str) -> Callable[[Results], float]:
    def value(results: Results) -> float:
        ways = results[kb]["sink"]
        return max(
            _median(ways, way, metric) / _median(ways, senders.OURS, metric)
            for metric in ("cpu_ms", "wall_ms")
        )

    return value


def _share_of_emulator_limit(kb: str) -> Callable[[Results], float]:
    def value(results: Results) -> float:
        ways = results[kb]["emulator"]
        limit = max(_median(ways, way, "events_per_second") for way in ways if way.startswith("prepared"))
        return _median(ways, senders.OURS, "events_per_second") / limit

    return value


def _throughput_ratio(kb: str, other: str) -> Callable[[Results], float]:
    metric = "events_per_second"
    return lambda r: _median(r, kb, "ours", metric) / _median(r, kb, other, metric)


def _latency_ratio(rate: str, metric: str) -> Callable[[Results], float]:
    def value(results: Results) -> float:
        rivals = (name for name in results["rates"][rate] if name != "ours")
        best = min(_median(results, "rates", rate, rival, metric, "p95") for rival in rivals)
        return _median(results, "rates", rate, "ours", metric, "p95") / best

    return value


def _stored_ratio(kb: str) -> Callable[[Results], float]:
    return lambda r: float(r[kb]["powertools"]["valid"]["item_bytes"] / r[kb]["ours"]["valid"]["item_bytes"])


def _archive_ratio(results: Results) -> float:
    rates = results["end_to_end"]
    return _median(rates, "with", "events_per_second") / _median(rates, "without", "events_per_second")


def _complete(results: Results) -> Results:
    """Return the results of a complete load test. A shorter one (COUNT=) does not count for the goal."""
    if results["count"] < COUNT:
        raise KeyError("count")
    return results


def _peak(name: str) -> Callable[[Results], float]:
    return lambda r: float(_complete(r)["peak_mb"][name])


GOALS = (
    *(
        Goal("handler", f"handler CPU at {kb} KB, relative to Powertools + Pydantic", _cpu_ratio(kb), bound)
        for kb, bound in (("1", 0.13), ("20", 0.4), ("200", 1.1))
    ),
    Goal("handler", "peak memory at 200 KB, relative to Powertools + Pydantic", _peak_ratio("200"), 1),
    Goal("footprint", "times fewer bytes stored at 200 KB", _stored_ratio("200"), 3.4, at_least=True),
    Goal(
        "cold_start",
        "import CPU, relative to Powertools + Pydantic",
        _cold_start_ratio(cold_start.SOURCE, "import_cpu_ms"),
        0.5,
    ),
    Goal(
        "cold_start",
        "peak memory of the import, relative to Powertools + Pydantic",
        _cold_start_ratio(cold_start.SOURCE, "peak_mb"),
        0.5,
    ),
    *(
        Goal(
            "producer",
            f"times better than a {way} loop at {kb} KB",
            _producer_ratio(kb, way),
            bound,
            at_least=True,
        )
        for way, bound in ((senders.SINGLE, 10), (senders.BATCHED, 2))
        for kb in ("1", "200")
    ),
    *(
        Goal(
            "producer",
            f"share of the emulator's limit at {kb} KB",
            _share_of_emulator_limit(kb),
            0.9,
            at_least=True,
        )
        for kb in ("1", "200")
    ),
    *(
        Goal(
            "end_to_end",
            f"times Powertools + Pydantic's events/s at {kb} KB",
            _throughput_ratio(kb, "powertools"),
            1,
            at_least=True,
        )
        for kb in ("1", "20", "200")
    ),
    Goal(
        "end_to_end",
        "share of the floor's events/s at 1 KB",
        _throughput_ratio("1", "floor"),
        0.9,
        at_least=True,
    ),
    *(
        Goal(
            "latency",
            f"p95 from send to {what} at {name} events/s, relative to the better rival",
            _latency_ratio(rate, f"{what}_ms"),
            1,
        )
        for rate, name in (("5", "5"), ("50", "50"), ("200", "200"), (TOP, "80% of the maximum"))
        for what in ("stored", "alert")
    ),
    Goal(
        "latency",
        "p99 in ms from send to alert at 200 events/s",
        lambda r: _median(r, "rates", "200", "ours", "alert_ms", "p99"),
        250,
    ),
    Goal(
        "archive",
        "events/s with the archive at 1 KB, relative to without",
        _archive_ratio,
        0.9,
        at_least=True,
    ),
    Goal("headline", "seconds of the load test", lambda r: float(_complete(r)["seconds"]), 150),
    Goal("headline", "seconds of make verify", lambda r: float(_complete(r)["verify"]["seconds"]), 20),
    *(
        Goal("headline", f"MB of memory in the {name}", _peak(name), bound)
        for name, bound in (
            ("verify", 300),
            ("emulator", 3 * 1024),
            ("archiver", 256),
            ("processor", 128),
        )
    ),
)
