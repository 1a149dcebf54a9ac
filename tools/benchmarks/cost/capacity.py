"""Which limit a rate of events meets, and what to change then."""

from __future__ import annotations

from dataclasses import dataclass, replace

from storage.keys import SHARDS
from tools.benchmarks.cost.measured import Measured
from tools.benchmarks.cost.model import OURS, cost, duration_ms
from tools.benchmarks.cost.prices import limit
from tools.benchmarks.cost.workload import Workload

# terraform/variables.tf
MAXIMUM_CONCURRENCY = 50
VISIBILITY_SECONDS = 180
# The most frequent type's share, in the producer's mix.
_LARGEST_TYPE = 0.4


@dataclass(frozen=True)
class Limit:
    """A limit on the way: from ``events_per_second`` on it does not suffice, and ``change`` does."""

    name: str
    events_per_second: float
    change: str


def concurrency(workload: Workload, measured: Measured) -> float:
    """Invocations that run at once: Little's law."""
    full = sum(share * workload.batch_of(kb) for kb, share in workload.sizes)
    return workload.events_per_second / full * duration_ms(workload, measured) / 1000


def ramp_seconds(wanted: float) -> float:
    """How long a mapping takes from its start to this concurrency."""
    return max(0.0, (wanted - limit("mapping_start")) / (limit("mapping_ramp") / 60))


def useful_concurrency(workload: Workload, measured: Measured) -> float:
    """The invocations at once that a table of the default quota keeps up with: more are only throttled."""
    rate = limit("table_writes") / cost(workload, OURS, measured).table_units
    return concurrency(replace(workload, events_per_second=rate), measured)


def limits(workload: Workload, measured: Measured) -> list[Limit]:
    """Every limit, the one that is met first at the head. Of the workload's rate nothing is used."""
    one = replace(workload, events_per_second=1)
    busy = concurrency(one, measured)
    units = cost(one, OURS, measured).table_units
    full = sum(share * workload.batch_of(kb) for kb, share in workload.sizes)
    found = [
        Limit("`maximum_concurrency` as shipped", MAXIMUM_CONCURRENCY / busy, "raise it, up to 1,000"),
        Limit(
            "Lambda's concurrency of an account",
            limit("account_concurrency") / busy,
            "ask for a higher quota; raise `function_memory`, which shortens an invocation",
        ),
        Limit(
            "concurrency of one mapping",
            limit("mapping_most") / busy,
            "provisioned pollers (to 20,000), or several queues with a mapping each",
        ),
        Limit(
            "a new table's warm throughput",
            limit("new_table_writes") / units,
            "set the table's warm throughput before the day; it also grows by itself, doubling",
        ),
        Limit("write units of a table", limit("table_writes") / units, "ask for a higher table quota"),
        Limit(
            "partitions of the `by_type` index",
            SHARDS * limit("partition_writes") / _LARGEST_TYPE,
            f"more shards than {SHARDS} (`SHARDS` in processor/items.py, and what reads the index)",
        ),
        Limit(
            "messages in flight, all well",
            limit("in_flight") / (busy * full),
            "several queues",
        ),
        Limit(
            "messages in flight, every batch failing",
            limit("in_flight") / VISIBILITY_SECONDS,
            "a shorter `function_timeout`, and with it the visibility timeout; several queues",
        ),
    ]
    return sorted(found, key=lambda each: each.events_per_second)
