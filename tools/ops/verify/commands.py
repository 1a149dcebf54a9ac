"""The command verify, and what it reads and costs, which it says before it starts."""

import heapq
import zlib
from argparse import Namespace
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from producer.generate.messages import REJECTED
from producer.manifest import SentRun
from storage.sizes import item_size
from tools.core import tables
from tools.core.console import err, print_json, progress_steps
from tools.core.prompts import confirm
from tools.core.resources import Resources
from tools.core.tables import Item
from tools.ops.share import Share
from tools.ops.verify import manifest, report
from tools.ops.verify.verify import LOOKING_UP, READING
from tools.ops.verify.verify import verify as run_checks

# The exit status if moving messages may explain all discrepancies.
UNDECIDED = 3
# Dollars for a million read units on demand, us-east-1 (tools/benchmarks/cost/prices.json).
DOLLARS_PER_MILLION = 0.125
ASK_ABOVE = 1_000_000
# A consistent read of an item takes a unit for each 4 KB of the whole item, whatever is projected. A Scan
# adds up the sizes of a page first (DynamoDB developer guide, "Read consistency" and "Capacity units").
_UNIT_BYTES = 4096
_SAMPLE = 25


def verify(resources: Resources, options: Namespace) -> int:
    """Check that no message is lost or counted twice."""
    run = manifest.load(resources, options.manifest, options.part)
    runs = run or ()
    everything = options.all or run is None
    estimated = estimate(resources, runs, options.part, everything=everything)
    if not is_confirmed(estimated, approved=options.auto_approve):
        return 2
    totals = {LOOKING_UP: estimated.run_messages, READING: estimated.table_items}
    with progress_steps(totals) as progress:
        result = run_checks(
            resources,
            runs,
            wait=options.wait,
            everything=everything,
            share=options.part,
            progress=progress,
        )
    if options.json:
        print_json(report.document(result))
    else:
        report.show(result)
    return 0 if result.ok else UNDECIDED if result.is_undecided else 1


@dataclass(frozen=True)
class ReadCost:
    """Items that are read, and the read units for them, of a run's rows and of whole tables."""

    run_messages: int = 0
    run_units: int = 0
    table_items: int = 0
    table_units: int = 0

    @property
    def units(self) -> int:
        """Return all read units."""
        return self.run_units + self.table_units

    def __str__(self) -> str:
        """Return what is read and what it costs."""
        parts = [f"the rows of {self.run_messages:,} messages"] if self.run_messages else []
        parts += [f"all rows of the tables, about {self.table_items:,}"] if self.table_items else []
        dollars = self.units * DOLLARS_PER_MILLION / 1_000_000
        return (
            f"Reading {' and '.join(parts) or 'empty tables'}: about {self.units:,} read units, "
            f"${dollars:.4f} on AWS; again as much if there are discrepancies."
        )


def estimate(resources: Resources, runs: Iterable[SentRun], share: Share, *, everything: bool) -> ReadCost:
    """Estimate the read units from a sample of the items and from DynamoDB's counts, which lag by hours."""
    messages = rejected = 0
    sample: list[tuple[int, str]] = []
    for run in runs:
        messages += len(run.messages)
        rejected += sum(message.expect == REJECTED for message in run.messages)
        ids = (each.event_id for each in run.messages if each.event_id and each.expect != REJECTED)
        hashed = ((zlib.crc32(event_id.encode(errors="replace")), event_id) for event_id in ids)
        sample = heapq.nsmallest(_SAMPLE, {*sample, *hashed})
    dynamodb = resources.client("dynamodb")
    found = tables.get_items(dynamodb, resources.table_name, "event_id", (each for _, each in sample))
    sizes = list(_sizes(found))
    units = sum(-(-size // _UNIT_BYTES) for size in sizes) / len(sizes) if sizes else 1
    # Every message is asked for in three tables, or in one if the others are small. A key without an item
    # takes a unit.
    cost = {"run_messages": messages, "run_units": round(messages * (units + 2) + rejected * (units - 1))}
    if everything:
        counts = [_count(resources, table) for table in _tables(resources)]
        cost["table_items"] = sum(count for count, _ in counts) // share.of
        cost["table_units"] = round(sum(size for _, size in counts) / _UNIT_BYTES / share.of)
    return ReadCost(**cost)


def is_confirmed(cost: ReadCost, *, approved: bool) -> bool:
    """Say what is read and what it costs, and ask above a million read units."""
    err.print(str(cost))
    if cost.units <= ASK_ABOVE:
        return True
    return confirm("That is more than a million read units. Continue?", already=approved)


def _tables(resources: Resources) -> tuple[str, ...]:
    return resources.table_name, resources.rejected_table_name, resources.duplicates_table_name


def _count(resources: Resources, table: str) -> tuple[int, float]:
    """Return the number of items of a table, and their total size by a sample."""
    dynamodb = resources.client("dynamodb")
    count = dynamodb.describe_table(TableName=table)["Table"].get("ItemCount", 0)
    items = dynamodb.scan(TableName=table, Limit=_SAMPLE)["Items"]
    sizes = list(_sizes(items))
    # DynamoDB's count of a new table is 0 for hours.
    count = max(count, len(items))
    return count, count * sum(sizes) / len(sizes) if sizes else 0


def _sizes(items: Iterable[Item]) -> Iterator[int]:
    for item in islice(items, _SAMPLE):
        try:
            yield item_size(item)
        except (UnicodeError, TypeError, ValueError):
            continue  # an item that was written by hand
