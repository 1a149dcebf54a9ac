"""Compute the cost of an event by service and design.

The designs share queue, function size and alerts. They differ in what they store and how. The model ignores
the free tier, data transfer (none within a region), reads, backups, dashboards and alarms.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from processor.store import SHARED_ITEM_LIMIT
from storage.sizes import ITEM_LIMIT
from tools.benchmarks.cost.measured import Measured
from tools.benchmarks.cost.prices import price
from tools.benchmarks.cost.workload import MONTH_SECONDS, Workload

OURS, ORIGINAL, POWERTOOLS = "ours", "original", "powertools"
DESIGNS = (OURS, ORIGINAL, POWERTOOLS)
# Lambda assigns CPU in proportion to memory. 1,769 MB have one vCPU (Lambda guide, "Memory").
VCPU_MB = 1769
# Assumed milliseconds of a call within a region. Lambda is under 1% of the cost at 200 KB.
CALL_MS = {
    "PutItem": 6.0,
    "TransactWriteItems": 15.0,
    "PublishBatch": 20.0,
    "Publish": 15.0,
    "PutObject": 30.0,
}

_KB = 1024
_GB = 1024**3
_CHUNK = 64 * _KB
_SQS_REQUEST = 1024 * _KB
# Assumed bytes that Lambda itself logs for an invocation in the JSON format.
_PLATFORM_LOG_BYTES = 700
# Terraform's max_receive_count: deliveries of an unreadable event before it is dead-lettered.
_MAX_DELIVERIES = 5
# Attributes of our item besides an uncompressed payload.
_ATTRIBUTES_BYTES = 520
# The indexes by_customer and by_type (terraform/tables.tf). Each entry is under 1 KB.
_INDEXES = 2


@dataclass(frozen=True)
class Cost:
    """Dollars per million events by service, and the fixed dollars of a month.

    ``keep_month`` is the storage of a million events for a month. ``write_units`` are per event;
    ``table_units`` exclude the indexes, which have their own limits. ``can_store`` is False if an event is
    too large for the design.
    """

    per_million: Mapping[str, float]
    fixed_month: float
    keep_month: float
    write_units: float
    table_units: float
    can_store: bool

    @property
    def total(self) -> float:
        """Return the dollars to process a million events."""
        return sum(self.per_million.values())

    def month(self, workload: Workload) -> float:
        """Return the dollars to process a month of the workload."""
        millions = workload.events_per_second * MONTH_SECONDS / 1e6
        return self.total * millions + self.fixed_month


def write_units(item_bytes: float, *, transaction: bool) -> int:
    """Return the write units of an item: one per KB, twice as many in a transaction.

    See "Write capacity unit consumption" and "Capacity management for transactions" in the DynamoDB guide.
    """
    return math.ceil(item_bytes / _KB) * (2 if transaction else 1)


def compute_cost(workload: Workload, design: str, measured: Measured) -> Cost:
    """Compute the cost of a workload with a design."""
    events = [(share, _Event(workload, design, kb, measured)) for kb, share in workload.sizes]

    def mean(value: Callable[[_Event], float]) -> float:
        return sum(share * value(event) for share, event in events)

    units = mean(_Event.write_units)
    item_gb, object_gb = mean(_Event.item_gb), mean(_Event.object_gb)
    return Cost(
        per_million={
            "SQS": mean(_Event.sqs_requests) * price("sqs_million_requests"),
            "Lambda": mean(_Event.lambda_dollars),
            "DynamoDB": units * price("dynamodb_million_writes"),
            "SNS": mean(_Event.sns_requests) * price("sns_million_requests"),
            "S3": mean(_Event.objects) * 1000 * price("s3_thousand_puts"),
            "CloudWatch": mean(_Event.logged_gb) * price("logs_gb"),
        },
        fixed_month=measured.metrics(design) * price("metric_month"),
        keep_month=item_gb * price("dynamodb_gb_month") + object_gb * price("s3_gb_month"),
        write_units=units,
        table_units=units - mean(_Event.index_units),
        can_store=all(event.can_be_stored() for _, event in events),
    )


def invocation_ms(workload: Workload, measured: Measured) -> float:
    """Return the duration of an invocation with a full batch, averaged over the sizes."""
    return sum(share * _Event(workload, OURS, kb, measured).invocation_ms() for kb, share in workload.sizes)


def break_even_kb(measured: Measured) -> int | None:
    """Return the smallest size in whole KB from which this pipeline costs less than the original design."""

    def is_dearer(kb: int) -> bool:
        workload = Workload.of_size(kb)
        ours, original = (compute_cost(workload, design, measured).total for design in (OURS, ORIGINAL))
        return ours >= original

    last = max((kb for kb in range(1, 401) if is_dearer(kb)), default=0)
    return last + 1 if last < 400 else None


class _Event:
    """The average event of one size. Methods with a unit (gb, dollars) are for a million events."""

    def __init__(self, workload: Workload, design: str, kb: float, measured: Measured) -> None:
        self._workload = workload
        self._ours = design == OURS
        self._design = design
        self._kb = kb
        self._measured = measured
        self._kinds = workload.kinds()
        self._batch = workload.batch_of(kb)
        # Every delivery of an event that a baseline cannot store is billed.
        self._deliveries = 1.0 if self._ours else 1 + self._kinds["invalid"] * (_MAX_DELIVERIES - 1)

    def can_be_stored(self) -> bool:
        return self._ours or self._measured.item_bytes(self._design, self._kb, "valid") <= ITEM_LIMIT

    def sqs_requests(self) -> float:
        size = self._kb * _KB
        entries = max(1, min(10, _SQS_REQUEST // size))
        requests = math.ceil(entries * size / _CHUNK) / entries
        # A message is sent, received, and deleted with the rest of its batch.
        return requests + self._deliveries * (requests + 1 / self._batch)

    def lambda_dollars(self) -> float:
        gb = self._workload.memory_mb / 1024
        seconds = self.invocation_ms() / 1000 / self._batch
        requests = price("lambda_million_requests") / self._batch
        return self._deliveries * (seconds * 1e6 * gb * price("lambda_gb_second") + requests)

    def invocation_ms(self) -> float:
        speed = min(1.0, self._workload.memory_mb / VCPU_MB)
        cpu = self._measured.cpu_ms(self._design, self._kb) * self._batch / speed
        return cpu + sum(count * CALL_MS[call] for call, count in self._calls().items())

    def _calls(self) -> dict[str, float]:
        if not self._ours:
            return {"PutItem": self._batch, "Publish": self._batch * self._kinds["large"]}
        puts = {"TransactWriteItems": 1.0} if self._in_transaction() else {"PutItem": self._batch}
        alerts = self._batch * self._alert_share()
        # Pending flags are removed with one update per item, or with one transaction of small items.
        removals = min(1.0, alerts) if self._in_transaction() else alerts
        return {
            **puts,
            "PublishBatch": self.sns_requests() * self._batch,
            "PutObject": self.objects() * self._batch,
            "PutItem": puts.get("PutItem", 0.0) + removals,
        }

    def _alert_share(self) -> float:
        return self._kinds["large"] + self._kinds["invalid"]

    def _item_bytes(self, kind: str) -> float:
        """Return the size of a compressible event's item. Duplicates are copies of valid events."""
        kind = "valid" if kind == "duplicate" or (kind == "invalid" and not self._ours) else kind
        return self._measured.item_bytes(self._design, self._kb, kind)

    def _item_sizes(self, kind: str) -> list[tuple[float, float]]:
        """Return the sizes of items of a kind, and the share of each."""
        share = self._workload.incompressible if self._ours else 0.0
        raw = self._kb * _KB + _ATTRIBUTES_BYTES
        incompressible = _ATTRIBUTES_BYTES if raw > ITEM_LIMIT else raw
        return [(self._item_bytes(kind), 1 - share), (incompressible, share)]

    def _in_transaction(self) -> bool:
        return self._ours and self._batch > 1 and self._item_bytes("valid") <= SHARED_ITEM_LIMIT

    def _put_units(self, kind: str) -> float:
        return sum(
            share * write_units(size, transaction=self._in_transaction() and size <= SHARED_ITEM_LIMIT)
            for size, share in self._item_sizes(kind)
        )

    def write_units(self) -> float:
        """Return the write units of an event in tables and indexes."""
        kinds = self._kinds
        if not self._ours:
            return (1 - kinds["invalid"]) * self._put_units("valid")
        valid, large, invalid = (self._put_units(kind) for kind in ("valid", "large", "invalid"))
        units = self.index_units()
        units += kinds["valid"] * valid
        units += kinds["large"] * (large + self._flag_removal_units("large"))
        units += kinds["invalid"] * (invalid + self._flag_removal_units("invalid"))
        # A put whose condition fails is billed, and so is the row of the duplicate. In a transaction it
        # cancels the other puts, which are then repeated.
        units += kinds["duplicate"] * (valid + 1)
        if self._in_transaction():
            units += (1 - float((1 - kinds["duplicate"]) ** self._batch)) * valid
        return units

    def index_units(self) -> float:
        """Return the units of the indexes. A large order has one entry more, a rejected event has one."""
        kinds = self._kinds
        entries = kinds["valid"] * _INDEXES + kinds["large"] * (_INDEXES + 1) + kinds["invalid"]
        return entries if self._ours else 0.0

    def _flag_removal_units(self, kind: str) -> float:
        """Return the units to remove a pending flag: the whole item, twice in a transaction."""
        others = 1 - float((1 - self._kinds[kind]) ** (self._batch - 1))
        return sum(
            share * write_units(size, transaction=False) * (1 + others * (size <= SHARED_ITEM_LIMIT))
            for size, share in self._item_sizes(kind)
        )

    def item_gb(self) -> float:
        stored = 1 - self._kinds["duplicate"] - (0 if self._ours else self._kinds["invalid"])
        return stored * sum(share * size for size, share in self._item_sizes("valid")) * 1e6 / _GB

    def objects(self) -> float:
        raw = self._kb * _KB + _ATTRIBUTES_BYTES
        return self._workload.incompressible if self._ours and raw > ITEM_LIMIT else 0.0

    def object_gb(self) -> float:
        return self.objects() * self._kb * _KB * 1e6 / _GB

    def sns_requests(self) -> float:
        if not self._ours:
            return self._kinds["large"]
        # A request publishes ten messages: the batch's summary and its alerts.
        return max(1.0, (1 + self._batch * self._alert_share()) / 10) / self._batch

    def logged_gb(self) -> float:
        measured_kind = {"duplicate": "valid", **({} if self._ours else {"invalid": "valid"})}
        logged = sum(
            share * self._measured.logged_bytes(self._design, self._kb, measured_kind.get(kind, kind))
            for kind, share in self._kinds.items()
        )
        return (logged + self._deliveries * _PLATFORM_LOG_BYTES / self._batch) * 1e6 / _GB
