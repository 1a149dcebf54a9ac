"""Compute the rate of events at which each limit is reached, and name the remedy."""

from __future__ import annotations

from dataclasses import dataclass, replace

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


def useful_concurrency(workload: Workload, measured: Measured) -> float:
    """Return the concurrent invocations that a table with the default quota accepts without throttling."""
    rate = limit("table_writes") / compute_cost(workload, OURS, measured).table_units
    return concurrency(replace(workload, events_per_second=rate), measured)


def limits(workload: Workload, measured: Measured) -> list[Limit]:
    """Return all limits, the lowest first. The rate of the workload has no effect."""
    slots = concurrency(replace(workload, events_per_second=1), measured)
    units = compute_cost(workload, OURS, measured).table_units
    all_limits = [
        Limit("`maximum_concurrency` as shipped", MAXIMUM_CONCURRENCY / slots, "raise it, up to 1,000"),
        Limit(
            "Lambda's concurrency of an account",
            limit("account_concurrency") / slots,
            "request a higher quota; raise `function_memory`, which shortens invocations",
        ),
        Limit(
            "concurrency of one mapping",
            limit("mapping_most") / slots,
            "provisioned pollers (up to 20,000), or several queues with a mapping each",
        ),
        Limit(
            "a new table's warm throughput",
            limit("new_table_writes") / units,
            "set the table's warm throughput in advance; it also doubles automatically under load",
        ),
        Limit("write units of a table", limit("table_writes") / units, "request a higher table quota"),
        Limit(
            "partitions of the `by_type` index",
            SHARDS * limit("partition_writes") / _LARGEST_TYPE,
            f"more shards than {SHARDS} (`SHARDS` in lambda_src/storage/keys.py)",
        ),
        Limit(
            "messages in flight, no failures",
            limit("in_flight") / (slots * workload.mean_batch),
            "several queues",
        ),
        Limit(
            "messages in flight, all batches failing",
            limit("in_flight") / VISIBILITY_SECONDS,
            "a shorter `function_timeout`, which shortens the visibility timeout; several queues",
        ),
    ]
    return sorted(all_limits, key=lambda reached: reached.events_per_second)
