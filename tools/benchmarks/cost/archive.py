"""What the archive costs: the archiver, its objects, keeping them, and what a query reads.

Reading the streams is free: Lambda's calls of GetRecords are not billed (DynamoDB pricing, "DynamoDB
Streams"). Not counted: the alarms, and the objects of rejected events, which are as many more as there are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tools.benchmarks.cost.measured import Measured
from tools.benchmarks.cost.model import CALL_MS, OURS, cost
from tools.benchmarks.cost.prices import usd
from tools.benchmarks.cost.workload import Workload

# terraform/variables.tf and archiver.tf
WINDOW_SECONDS = 60
BATCH_SIZE = 5000
RETENTION_DAYS = 1095
_MEMORY_MB = 512
# terraform/archive.tf: from so many days on, objects of 128 KB and more lie in cheaper classes.
_IA_DAYS, _GLACIER_DAYS = 30, 90
_SMALLEST_MOVED = 128 * 1024

_MB, _GB, _TB = 1024**2, 1024**3, 1024**4
_VCPU_MB = 1769
_MONTH_DAYS = 365 / 12
# Lambda hands over at most this, in base64 where it is binary, and about so much more in names of types.
_EVENT_BYTES = 6 * _MB
_AS_JSON = 1.4
# A partition takes 1,000 write units a second, and a new on-demand table has four (DynamoDB developer guide,
# "Warm throughput"). A stream has a shard for each, and Lambda invokes the archiver for each.
_UNITS_OF_A_SHARD, _FEWEST_SHARDS = 1000, 4
# Of the events, in the producer's mix: an object holds those of one type.
_TYPES = (0.4, 0.4, 0.2)


@dataclass(frozen=True)
class ArchiveCost:
    """Dollars for a million events, but for ``batch`` (events), ``object_bytes`` and ``bytes`` (of an event).

    ``keep`` is for the whole of the retention, ``read`` for one query of all of them.
    """

    lambda_: float
    puts: float
    keep: float
    read: float
    batch: float
    object_bytes: float
    bytes: float

    @property
    def total(self) -> float:
        """To archive a million events."""
        return self.lambda_ + self.puts


def archive_cost(workload: Workload, measured: Measured) -> ArchiveCost:
    """What archiving costs under a workload."""
    item = sum(share * measured.item_bytes(OURS, kb, "valid") for kb, share in workload.sizes)
    line = sum(share * measured.archived_bytes(kb) for kb, share in workload.sizes)
    cpu = sum(share * measured.archive_cpu_ms(kb) for kb, share in workload.sizes)
    units = cost(workload, OURS, measured).table_units * workload.events_per_second
    shards = max(_FEWEST_SHARDS, math.ceil(units / _UNITS_OF_A_SHARD))
    in_a_window = workload.events_per_second / shards * WINDOW_SECONDS
    batch = max(1.0, min(BATCH_SIZE, _EVENT_BYTES / (item * _AS_JSON), in_a_window))
    objects = sum(1 - (1 - share) ** batch for share in _TYPES)
    seconds = (cpu * batch / min(1, _MEMORY_MB / _VCPU_MB) + objects * CALL_MS["PutObject"]) / 1000
    invocations = 1e6 / batch
    gb_seconds = invocations * seconds * _MEMORY_MB / 1024
    stored = line * 1e6
    return ArchiveCost(
        lambda_=invocations / 1e6 * usd("lambda_million_requests") + gb_seconds * usd("lambda_gb_second"),
        puts=invocations * objects / 1000 * usd("s3_thousand_puts"),
        keep=_keeping(stored / _GB, invocations * objects, line * batch / objects),
        read=stored / _TB * usd("athena_tb"),
        batch=batch,
        object_bytes=line * batch / objects,
        bytes=line,
    )


def _keeping(gb: float, objects: float, object_bytes: float) -> float:
    """Dollars for the whole of the retention. What is too small to be moved stays where it is."""
    if object_bytes < _SMALLEST_MOVED:
        return gb * usd("s3_gb_month") * RETENTION_DAYS / _MONTH_DAYS
    months = {
        "s3_gb_month": _IA_DAYS,
        "s3_ia_gb_month": _GLACIER_DAYS - _IA_DAYS,
        "s3_glacier_ir_gb_month": RETENTION_DAYS - _GLACIER_DAYS,
    }
    moves = usd("s3_ia_thousand_moves") + usd("s3_glacier_ir_thousand_moves")
    kept = sum(gb * usd(name) * days / _MONTH_DAYS for name, days in months.items())
    return kept + objects / 1000 * moves
