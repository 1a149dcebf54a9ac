"""Compute what it costs to restore and to verify many events, by these commands and by AWS's own engines.

Times are lower bounds by a table's write units, because AWS publishes no rate of a point-in-time recovery, an
export or a query.
"""

from dataclasses import dataclass

from tools.benchmarks.cost.measured import Measured
from tools.benchmarks.cost.model import OURS, compute_cost
from tools.benchmarks.cost.prices import limit, price
from tools.benchmarks.cost.workload import Workload

_GB, _TB = 1024**3, 1024**4
# A Scan adds up the sizes of a page's items (DynamoDB developer guide, "Capacity units").
_READ_UNIT = 4096


@dataclass(frozen=True)
class RecoveryCost:
    """Dollars for some events, the size of their table, and the hours that its write units allow.

    ``export`` is an export of the table with a query of it and of the archive. ``point_in_time_month`` and
    ``backup_month`` keep the means of recovery for a month.
    """

    table_gb: float
    restore: float
    restore_hours: float
    point_in_time: float
    point_in_time_month: float
    backup_month: float
    verify: float
    export: float


def recovery_cost(events: int, kb: float, measured: Measured) -> RecoveryCost:
    """Compute the costs for events of one size."""
    workload = Workload.of_size(kb, large=0.0)
    cost = compute_cost(workload, OURS, measured)
    item = measured.item_bytes(OURS, kb, "valid")
    gb = events * item / _GB
    queried = events * (item + measured.archived_bytes(kb)) / _TB
    return RecoveryCost(
        table_gb=gb,
        restore=events * cost.write_units / 1e6 * price("dynamodb_million_writes"),
        restore_hours=events * cost.table_units / limit("table_writes") / 3600,
        point_in_time=gb * price("dynamodb_restore_gb"),
        point_in_time_month=gb * price("dynamodb_point_in_time_gb_month"),
        backup_month=gb * price("dynamodb_backup_gb_month"),
        verify=events * item / _READ_UNIT / 1e6 * price("dynamodb_million_reads"),
        export=gb * price("dynamodb_export_gb") + queried * price("athena_tb"),
    )
