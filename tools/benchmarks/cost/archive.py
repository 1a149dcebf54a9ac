"""Compute the cost of the archive: the archiver, its objects, their storage, and queries.

Lambda reads the streams for free (DynamoDB pricing, "DynamoDB Streams"). The model ignores the alarms and the
objects of rejected events.
"""

import math
from dataclasses import dataclass

from tools.benchmarks.cost.measured import Measured
from tools.benchmarks.cost.model import CALL_MS, OURS, VCPU_MB, compute_cost
from tools.benchmarks.cost.prices import price
from tools.benchmarks.cost.workload import Workload

# terraform/variables.tf and archiver.tf
WINDOW_SECONDS = 60
BATCH_SIZE = 5000
RETENTION_DAYS = 1095
_MEMORY_MB = 512
# terraform/archive.tf: after this many days, objects of at least 128 KB move to cheaper storage classes.
_IA_DAYS, _GLACIER_DAYS = 30, 90
_MIN_MOVED_BYTES = 128 * 1024

_MB, _GB, _TB = 1024**2, 1024**3, 1024**4
_MONTH_DAYS = 365 / 12
# Lambda's limit of an event. Base64 and the names of types make items about 1.4 times as large in it.
_EVENT_BYTES = 6 * _MB
_JSON_OVERHEAD = 1.4
# A partition accepts 1,000 write units a second; a new table has four (DynamoDB guide, "Warm throughput").
# A stream has one shard per partition, and Lambda invokes the archiver for each shard.
_UNITS_PER_SHARD, _MIN_SHARDS = 1000, 4
# The producer's shares of event types. An object holds events of one type.
_TYPE_SHARES = (0.4, 0.4, 0.2)


@dataclass(frozen=True)
class ArchiveCost:
    """Dollars for a million events: ``keep`` for the whole retention, ``read`` for one query of all of them.

    ``batch`` is the number of events in a batch, ``object_bytes`` the size of an object.
    """

    lambda_: float
    puts: float
    keep: float
    read: float
    batch: float
    object_bytes: float

    @property
    def total(self) -> float:
        """Return the dollars to archive a million events."""
        return self.lambda_ + self.puts


def archive_cost(workload: Workload, measured: Measured) -> ArchiveCost:
    """Compute the cost of archiving a workload."""
    item = sum(share * measured.item_bytes(OURS, kb, "valid") for kb, share in workload.sizes)
    line = sum(share * measured.archived_bytes(kb) for kb, share in workload.sizes)
    cpu = sum(share * measured.archive_cpu_ms(kb) for kb, share in workload.sizes)
    units = compute_cost(workload, OURS, measured).table_units * workload.events_per_second
    shards = max(_MIN_SHARDS, math.ceil(units / _UNITS_PER_SHARD))
    events_per_window = workload.events_per_second / shards * WINDOW_SECONDS
    batch = max(1.0, min(BATCH_SIZE, _EVENT_BYTES / (item * _JSON_OVERHEAD), events_per_window))
    objects = sum(1 - (1 - share) ** batch for share in _TYPE_SHARES)
    seconds = (cpu * batch / min(1, _MEMORY_MB / VCPU_MB) + objects * CALL_MS["PutObject"]) / 1000
    invocations = 1e6 / batch
    gb_seconds = invocations * seconds * _MEMORY_MB / 1024
    stored = line * 1e6
    return ArchiveCost(
        lambda_=invocations / 1e6 * price("lambda_million_requests") + gb_seconds * price("lambda_gb_second"),
        puts=invocations * objects / 1000 * price("s3_thousand_puts"),
        keep=_storage_dollars(stored / _GB, invocations * objects, line * batch / objects),
        read=stored / _TB * price("athena_tb"),
        batch=batch,
        object_bytes=line * batch / objects,
    )


def _storage_dollars(gb: float, objects: float, object_bytes: float) -> float:
    """Return the dollars for the whole retention. S3 does not move small objects to cheaper classes."""
    if object_bytes < _MIN_MOVED_BYTES:
        return gb * price("s3_gb_month") * RETENTION_DAYS / _MONTH_DAYS
    months = {
        "s3_gb_month": _IA_DAYS,
        "s3_ia_gb_month": _GLACIER_DAYS - _IA_DAYS,
        "s3_glacier_ir_gb_month": RETENTION_DAYS - _GLACIER_DAYS,
    }
    moves = price("s3_ia_thousand_moves") + price("s3_glacier_ir_thousand_moves")
    storage = sum(gb * price(name) * days / _MONTH_DAYS for name, days in months.items())
    return storage + objects / 1000 * moves
