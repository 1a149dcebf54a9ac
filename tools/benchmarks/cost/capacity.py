"""Compute the rate of events at which each limit is reached, and name the remedy."""

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

from storage.keys import SHARDS
from tools.benchmarks.cost.measured import Measured
from tools.benchmarks.cost.model import OURS, compute_cost, invocation_ms
from tools.benchmarks.cost.prices import limit
from tools.benchmarks.cost.workload import Workload

# terraform/variables.tf
MAXIMUM_CONCURRENCY = 50
VISIBILITY_SECONDS = 180
# The share of the most frequent event type in the producer's mix.
_LARGEST_TYPE = 0.4


@dataclass(frozen=True)
class Limit:
    """A limit that is reached at ``events_per_second``. ``change`` is the remedy."""

    name: str
    events_per_second: float
    change: str


def concurrency(workload: Workload, measured: Measured) -> float:
    """Return the concurrent invocations, by Little's law."""
    return workload.events_per_second / workload.mean_batch * invocation_ms(workload, measured) / 1000


def ramp_seconds(target: float) -> float:
    """Return the seconds that a mapping needs from its start to this concurrency."""
    return max(0.0, (target - limit("mapping_start")) / (limit("mapping_ramp") / 60))


def drain(events: float, rate: float, most: float) -> tuple[float, float]:
    """Return the seconds in which a mapping processes events that arrive at once, and its concurrency then.

    ``rate`` is the events a second of one concurrent batch, ``most`` the highest concurrency.
    """
    start, growth = min(limit("mapping_start"), most), limit("mapping_ramp") / 60
    # In t seconds of the ramp: rate * (start * t + growth * t**2 / 2) events.
    seconds = (math.sqrt(start**2 + 2 * growth * events / rate) - start) / growth
    ramp = ramp_seconds(most)
    if seconds > ramp:
        seconds = ramp + (events / rate - ramp * (start + most) / 2) / most
    return seconds, min(most, start + growth * seconds)


def useful_concurrency(workload: Workload, measured: Measured) -> float:
    """Return the concurrent invocations that a table with the default quota accepts without throttling."""
    rate = limit("table_writes") / compute_cost(workload, OURS, measured).table_units
    return concurrency(replace(workload, events_per_second=rate), measured)


def limits(workload: Workload, measured: Measured) -> list[Limit]:
    """Return all limits, the lowest first. The rate of the workload has no effect."""
    slots = concurrency(replace(workload, events_per_second=1), measured)
    units = compute_cost(workload, OURS, measured).table_units
    rates = {
        "as_shipped": MAXIMUM_CONCURRENCY / slots,
        "account": limit("account_concurrency") / slots,
        "mapping": limit("mapping_most") / slots,
        "new_table": limit("new_table_writes") / units,
        "table": limit("table_writes") / units,
        "index": SHARDS * limit("partition_writes") / _LARGEST_TYPE,
        "in_flight": limit("in_flight") / (slots * workload.mean_batch),
        "in_flight_failing": limit("in_flight") / VISIBILITY_SECONDS,
    }
    remedies = json.loads(Path(__file__).with_name("remedies.json").read_text("utf-8"))
    return [
        Limit(remedies[name]["limit"], rate, remedies[name]["change"].replace("{shards}", str(SHARDS)))
        for name, rate in sorted(rates.items(), key=lambda reached: reached[1])
    ]
