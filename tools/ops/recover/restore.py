"""`make restore`: make the tables' items again from the archive.

Items are written under the condition that their key is free, so a second run writes only what is missing.
The streams archive them again, in objects that this run does not read; queries use one line of each.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from botocore.exceptions import ClientError

from archiver.lines import DUPLICATES, EVENTS, REJECTED, UNREADABLE
from producer.send.rate_limiter import RateLimiter
from storage.attributes import MESSAGE_ID, flag, required
from tools.core.disk import DiskMap
from tools.core.parallel import parallel
from tools.core.resources import Resources
from tools.ops.recover.archive_reader import ArchiveReader, Selection
from tools.ops.recover.archived_items import ArchivedItem
from tools.ops.recover.restore_writer import (
    CHUNK_BYTES,
    CHUNK_ITEMS,
    RestoreResult,
    RestoreWriter,
    table_names,
    write_units,
)

# Rejected events come after those that tell whether they were replayed since.
KINDS = (EVENTS, DUPLICATES, REJECTED, UNREADABLE)
# Dollars for a million write units on demand, us-east-1 (tools/benchmarks/cost/prices.json).
DOLLARS_PER_MILLION = 0.625

DAMAGED = "damaged"
_THREADS = 8
_ATTEMPTS = 10
# Objects of each kind that are read for the estimate, until they had this many lines.
_SAMPLE, _SAMPLE_LINES = 12, 500
_RETENTION_DAYS = 90


@dataclass(frozen=True)
class Estimate:
    """What a restore of everything would write: objects of the archive, items, and write units."""

    objects: int = 0
    items: int = 0
    units: int = 0
    newest: datetime | None = None

    def __str__(self) -> str:
        """Return what is written and what it costs."""
        dollars = self.units * DOLLARS_PER_MILLION / 1_000_000
        return (
            f"Reading {self.objects:,} objects with about {self.items:,} items. If none of them is in the "
            f"tables: about {self.units:,} write units, ${dollars:.4f} on AWS."
        )


class Restore:
    """A restore of a selection."""

    def __init__(
        self, resources: Resources, selection: Selection, *, dry_run: bool = False, rate: int = 0
    ) -> None:
        # Of thousands of calls, some are throttled four times in a row. The items' values were checked when
        # they were read, and botocore would take a quarter of the time to check them again.
        resources = replace(resources, attempts=_ATTEMPTS, validates=False, clients=dict(resources.clients))
        self._selection = selection
        self.result = RestoreResult()
        limiter = RateLimiter(rate)
        self._chunk_items = limiter.batch_size(CHUNK_ITEMS)
        self._writer = RestoreWriter(resources, selection, self.result, dry_run=dry_run, limiter=limiter)
        kinds = {name: kind for kind, name in table_names(resources).items()}
        self._reader = ArchiveReader(resources, kinds, _retention_days(resources))
        # Message ids that are stored or duplicates.
        self._accepted = DiskMap()
        self._newest: datetime | None = None

    def estimate(self) -> Estimate:
        """Estimate the restore from a sample of the objects. Objects that are written later are not read."""
        objects = items = units = 0
        choice = random.Random(0)  # noqa: S311 - a sample
        for kind in KINDS:
            sample: list[dict[str, Any]] = []
            size = listed = 0
            for each in self._reader.objects(kind, self._selection.hours):
                self._newest = max(self._newest or each["LastModified"], each["LastModified"])
                listed += 1
                size += each["Size"]
                if len(sample) < _SAMPLE:
                    sample.append(each)
                elif (place := choice.randrange(listed)) < _SAMPLE:
                    sample[place] = each
            read: list[int] = []
            bytes_read = lines = 0
            for each in sample:
                if lines >= _SAMPLE_LINES:
                    break
                bytes_read += each["Size"]
                for archived in self._reader.items(kind, each["Key"], []):
                    lines += 1
                    if self._selection.accepts(archived):
                        read.append(write_units(archived))
            share = size / (bytes_read or 1)
            objects += listed
            items += round(len(read) * share)
            units += round(sum(read) * share)
        return Estimate(objects, items, units, self._newest)

    def run(self, progress: Callable[[int], None]) -> RestoreResult:
        """Restore. ``progress`` gets the number of objects that were read.

        Raises botocore's errors, and ToolError if DynamoDB does not accept items.
        """
        done = count(1)
        for kind in KINDS:
            if kind == REJECTED:
                self._note_later_events()
            items = self._selected(kind, lambda: progress(next(done)))
            for _ in parallel(self._writer.write, self._chunks(items), _THREADS):
                pass
        return self.result

    def _selected(self, kind: str, on_object: Callable[[], None]) -> Iterator[ArchivedItem]:
        for each in self._reader.objects(kind, self._selection.hours):
            if self._newest is not None and each["LastModified"] > self._newest:
                continue
            problems: list[str] = []
            for archived in self._reader.items(kind, each["Key"], problems):
                self._note(archived)
                if not self._selection.accepts(archived):
                    continue
                if archived.kind == REJECTED and archived.key in self._accepted:
                    self.result.replayed += 1
                else:
                    yield archived
            # Every machine reads every line, and one of them reports those that are damaged.
            for problem in problems if self._selection.share.has(each["Key"]) else ():
                self.result.find(DAMAGED, problem)
            on_object()

    def _note(self, archived: ArchivedItem) -> None:
        """Remember a message that is no longer rejected, because a replay or a copy of it was accepted."""
        if archived.kind == DUPLICATES or (archived.kind == EVENTS and flag(archived.item, "replayed")):
            self._accepted.add(required(archived.item, MESSAGE_ID))

    def _note_later_events(self) -> None:
        """Remember what was replayed after the range, if the range has rejected events."""
        hours = self._selection.hours
        if hours is None or next(self._reader.objects(REJECTED, hours), None) is None:
            return
        later = replace(hours, since=hours.until, until=datetime.now(UTC) + timedelta(hours=1))
        for kind in (EVENTS, DUPLICATES):
            for each in self._reader.objects(kind, later):
                for archived in self._reader.items(kind, each["Key"], []):
                    self._note(archived)

    def _chunks(self, items: Iterable[ArchivedItem]) -> Iterator[list[ArchivedItem]]:
        chunk: list[ArchivedItem] = []
        size = 0
        for archived in items:
            # An object of unreadable/ has items of several tables.
            if chunk and (
                len(chunk) >= self._chunk_items or size >= CHUNK_BYTES or chunk[0].kind != archived.kind
            ):
                yield chunk
                chunk, size = [], 0
            chunk.append(archived)
            size += len(archived.body or b"")
        if chunk:
            yield chunk


def _retention_days(resources: Resources) -> int:
    """Return the days that the function keeps rejected events, for lines that have no time of expiry."""
    try:
        return int(resources.function_variables().get("REJECTED_RETENTION_DAYS") or _RETENTION_DAYS)
    except ClientError:  # the function may be lost, too
        return _RETENTION_DAYS
