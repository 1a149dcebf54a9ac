"""Dollars for an event, by service and by design.

The three designs share queue, function size and alerts; what differs is what they store and how. Not counted:
the free tier, data transfer (none within a region), reads, backups, dashboards and alarms, all of which a
design can have or not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from processor.store import SHARED_ITEM_LIMIT
from storage.sizes import ITEM_LIMIT
from tools.benchmarks.cost.measured import Measured
from tools.benchmarks.cost.prices import usd
from tools.benchmarks.cost.workload import MONTH_SECONDS, Workload

OURS, ORIGINAL, POWERTOOLS = "ours", "original", "powertools"
DESIGNS = (OURS, ORIGINAL, POWERTOOLS)
SERVICES = ("SQS", "Lambda", "DynamoDB", "SNS", "S3", "CloudWatch")

_KB = 1024
_GB = 1024**3
_CHUNK = 64 * _KB
_SQS_REQUEST = 1024 * _KB
# Lambda gives a function CPU in proportion to its memory; 1,769 MB is one vCPU (Lambda developer guide,
# "Configure Lambda function memory").
_VCPU_MB = 1769
# Milliseconds that a call takes on AWS within a region: assumptions, of what CloudWatch usually shows. At
# 200 KB the whole of Lambda is under 1% of the cost, so little hangs on them.
CALL_MS = {
    "PutItem": 6.0,
    "TransactWriteItems": 15.0,
    "PublishBatch": 20.0,
    "Publish": 15.0,
    "PutObject": 30.0,
}
# What Lambda itself logs for an invocation in the JSON format: start, report and their timestamps. Assumed.
_PLATFORM_LOG_BYTES = 700
# Deliveries of an event that a rival cannot read, before it is dead-lettered: Terraform's max_receive_count.
_RETRIES = 5
# Attributes of our item beside the payload, for a payload that is stored as it came.
_ATTRIBUTES_BYTES = 520
# Entries in the indexes by_customer and by_type (terraform/tables.tf), each a summary under 1 KB.
_INDEXES = 2


@dataclass(frozen=True)
class Cost:
    """Dollars per million events by service, dollars a month that do not depend on how many, and bytes kept.

    ``gb`` is what DynamoDB and S3 then store for a million events; ``keep_month`` is what keeping them for a
    month costs. ``write_units`` are those of an event, ``table_units`` without the indexes, which have limits
    of their own. ``stores`` is False for a design that cannot store all of the events at all.
    """

    per_million: Mapping[str, float]
    fixed_month: float
    gb: float
    keep_month: float
    write_units: float
    table_units: float
    stores: bool

    @property
    def total(self) -> float:
        """Dollars to process a million events."""
        return sum(self.per_million.values())

    def month(self, workload: Workload) -> float:
        """Dollars to process a month of the workload."""
        millions = workload.events_per_second * MONTH_SECONDS / 1e6
        return self.total * millions + self.fixed_month


def write_units(item_bytes: float, *, transaction: bool) -> int:
    """Write units of an item: one for each KB, twice in a transaction (DynamoDB developer guide, "Write
    capacity unit consumption" and "Capacity management for transactions")."""
    return math.ceil(item_bytes / _KB) * (2 if transaction else 1)


def cost(workload: Workload, design: str, measured: Measured) -> Cost:
    """What a design costs under a workload."""
    dollars = dict.fromkeys(SERVICES, 0.0)
    gb = s3_gb = units = table_units = 0.0
    stores = True
    for kb, share in workload.sizes:
        event = _Event(workload, design, kb, measured)
        written = event.write_units()
        units += share * written
        table_units += share * (written - event.index_units())
        gb += share * event.item_gb()
        s3_gb += share * event.object_gb()
        stores = stores and event.can_be_stored()
        dollars["SQS"] += share * event.sqs_requests() * usd("sqs_million_requests")
        dollars["Lambda"] += share * event.lambda_dollars()
        dollars["DynamoDB"] += share * written * usd("dynamodb_million_writes")
        dollars["SNS"] += share * event.sns_requests() * usd("sns_million_requests")
        dollars["S3"] += share * event.objects() * 1000 * usd("s3_thousand_puts")
        dollars["CloudWatch"] += share * event.logged_gb() * usd("logs_gb")
    return Cost(
        per_million=dollars,
        fixed_month=measured.metrics(design) * usd("metric_month"),
        gb=gb + s3_gb,
        keep_month=gb * usd("dynamodb_gb_month") + s3_gb * usd("s3_gb_month"),
        write_units=units,
        table_units=table_units,
        stores=stores,
    )


class _Event:
    """The average event of one size. ``*_gb`` and dollars are for a million of them, the rest for one."""

    def __init__(self, workload: Workload, design: str, kb: float, measured: Measured) -> None:
        self._workload = workload
        self._ours = design == OURS
        self._design = design
        self._kb = kb
        self._measured = measured
        self._kinds = workload.kinds()
        self._batch = workload.batch_of(kb)
        # Of an event that a rival cannot store, every delivery is paid for.
        self._deliveries = 1.0 if self._ours else 1 + self._kinds["invalid"] * (_RETRIES - 1)

    def can_be_stored(self) -> bool:
        if self._ours:
            return True
        return self._measured.item_bytes(self._design, self._kb, "valid") <= ITEM_LIMIT

    def sqs_requests(self) -> float:
        size = self._kb * _KB
        together = max(1, min(10, _SQS_REQUEST // size))
        moved = math.ceil(together * size / _CHUNK) / together
        # Sent, received, and deleted with the rest of its batch.
        return moved + self._deliveries * (moved + 1 / self._batch)

    def lambda_dollars(self) -> float:
        speed = min(1.0, self._workload.memory_mb / _VCPU_MB)
        gb = self._workload.memory_mb / 1024
        seconds = self._duration_ms(speed) / 1000 / self._batch
        requests = usd("lambda_million_requests") / self._batch
        return self._deliveries * (seconds * 1e6 * gb * usd("lambda_gb_second") + requests)

    def _duration_ms(self, speed: float) -> float:
        cpu = self._measured.cpu_ms(self._design, self._kb) * self._batch / speed
        return cpu + sum(count * CALL_MS[call] for call, count in self._calls().items())

    def duration_ms(self) -> float:
        """How long an invocation with a full batch takes."""
        return self._duration_ms(min(1.0, self._workload.memory_mb / _VCPU_MB))

    def _calls(self) -> dict[str, float]:
        if not self._ours:
            return {"PutItem": self._batch, "Publish": self._batch * self._kinds["large"]}
        puts = {"TransactWriteItems": 1.0} if self._shared() else {"PutItem": self._batch}
        marked = self._batch * self._marked()
        return {
            **puts,
            "PublishBatch": self.sns_requests() * self._batch,
            "PutObject": self.objects() * self._batch,
            # Clearing the marks: one update, or one transaction of several small items.
            "PutItem": puts.get("PutItem", 0.0) + (min(1.0, marked) if self._shared() else marked),
        }

    def _marked(self) -> float:
        return self._kinds["large"] + self._kinds["invalid"]

    def _item_bytes(self, kind: str) -> float:
        """Of a compressible event's item; duplicates are copies of valid events."""
        kind = "valid" if kind == "duplicate" or (kind == "invalid" and not self._ours) else kind
        return self._measured.item_bytes(self._design, self._kb, kind)

    def _sizes(self, kind: str) -> list[tuple[float, float]]:
        """The sizes that such items have, and the share of each."""
        packed = self._item_bytes(kind)
        share = self._workload.incompressible if self._ours else 0.0
        raw = self._kb * _KB + _ATTRIBUTES_BYTES
        return [(packed, 1 - share), (_ATTRIBUTES_BYTES if raw > ITEM_LIMIT else raw, share)]

    def _shared(self) -> bool:
        return self._ours and self._batch > 1 and self._item_bytes("valid") <= SHARED_ITEM_LIMIT

    def _put_units(self, kind: str) -> float:
        return sum(
            share * write_units(size, transaction=self._shared() and size <= SHARED_ITEM_LIMIT)
            for size, share in self._sizes(kind)
        )

    def write_units(self) -> float:
        """Write units of tables and indexes for an event."""
        if not self._ours:
            stored = 1 - self._kinds["invalid"]
            return stored * self._put_units("valid")
        kinds = self._kinds
        valid, large, invalid = (self._put_units(kind) for kind in ("valid", "large", "invalid"))
        units = self.index_units()
        units += kinds["valid"] * valid
        units += kinds["large"] * (large + self._clearing("large"))
        units += kinds["invalid"] * (invalid + self._clearing("invalid"))
        # A put that fails its condition is paid for as well, and so is the row in the ledger. One in a
        # transaction cancels it, and the others are written once more.
        units += kinds["duplicate"] * (valid + 1)
        if self._shared():
            units += (1 - float((1 - kinds["duplicate"]) ** self._batch)) * valid
        return units

    def index_units(self) -> float:
        """Those of the indexes: a large order and a rejected event are in one more, or in one."""
        kinds = self._kinds
        entries = kinds["valid"] * _INDEXES + kinds["large"] * (_INDEXES + 1) + kinds["invalid"]
        return entries if self._ours else 0.0

    def _clearing(self, kind: str) -> float:
        """Units of removing the mark of an alert owed: the whole item, of a small one twice where others go
        with it."""
        others = 1 - float((1 - self._kinds[kind]) ** (self._batch - 1))
        return sum(
            share * write_units(size, transaction=False) * (1 + others * (size <= SHARED_ITEM_LIMIT))
            for size, share in self._sizes(kind)
        )

    def item_gb(self) -> float:
        kept = 1 - self._kinds["duplicate"] - (0 if self._ours else self._kinds["invalid"])
        return kept * sum(share * size for size, share in self._sizes("valid")) * 1e6 / _GB

    def objects(self) -> float:
        raw = self._kb * _KB + _ATTRIBUTES_BYTES
        return self._workload.incompressible if self._ours and raw > ITEM_LIMIT else 0.0

    def object_gb(self) -> float:
        return self.objects() * self._kb * _KB * 1e6 / _GB

    def sns_requests(self) -> float:
        if not self._ours:
            return self._kinds["large"]
        # The batch's summary and its alerts, ten in a request.
        return max(1.0, (1 + self._batch * self._marked()) / 10) / self._batch

    def logged_gb(self) -> float:
        of = {"duplicate": "valid", **({} if self._ours else {"invalid": "valid"})}
        said = sum(
            share * self._measured.logged_bytes(self._design, self._kb, of.get(kind, kind))
            for kind, share in self._kinds.items()
        )
        return (said + self._deliveries * _PLATFORM_LOG_BYTES / self._batch) * 1e6 / _GB


def duration_ms(workload: Workload, measured: Measured, design: str = OURS) -> float:
    """How long an invocation with a full batch takes in milliseconds, averaged over the sizes."""
    return sum(share * _Event(workload, design, kb, measured).duration_ms() for kb, share in workload.sizes)


def break_even_kb(measured: Measured, rival: str = ORIGINAL) -> int | None:
    """The smallest size in whole KB from which on this pipeline costs less than a rival, if there is one."""
    dearer = [
        kb
        for kb in range(1, 401)
        if (one := Workload(sizes=((kb, 1.0),)))
        and cost(one, OURS, measured).total >= cost(one, rival, measured).total
    ]
    last = max(dearer, default=0)
    return last + 1 if last < 400 else None
