"""`make restore`: make the tables' items again from the archive.

Items are written under the condition that their key is free, so a second run writes only what is missing.
The streams archive them again, in objects that this run does not read; queries use one line of each.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from botocore.exceptions import ClientError

from archiver.lines import DUPLICATES, EVENTS, REJECTED, UNREADABLE
from producer.send.rate_limiter import RateLimiter
from storage.attributes import MESSAGE_ID, flag, required
from tools.core.archive_range import ArchiveRange
from tools.core.resources import Resources
from tools.ops.recover.archive_reader import ArchiveReader, ObjectInfo, Selection
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
        # Of thousands of calls, some are throttled four times in a row.
        resources = replace(resources, attempts=_ATTEMPTS, clients=dict(resources.clients))
        self._selection = selection
        self.result = RestoreResult()
        limiter = RateLimiter(rate)
        self._chunk_items = limiter.batch_size(CHUNK_ITEMS)
        self._writer = RestoreWriter(resources, selection, self.result, dry_run=dry_run, limiter=limiter)
        kinds = {name: kind for kind, name in table_names(resources).items()}
        self._reader = ArchiveReader(resources, kinds, _retention_days(resources))
        # Message ids that are stored or duplicates, on disk: there may be millions.
        self._accepted = sqlite3.connect("")
        self._accepted.execute("CREATE TABLE ids (id TEXT PRIMARY KEY) WITHOUT ROWID")
        self._newest: datetime | None = None

    def estimate(self) -> Estimate:
        """Estimate the restore from a sample of the objects. Objects that are written later are not read."""
        objects = items = units = 0
        choice = random.Random(0)  # noqa: S311 - a sample
        for kind in KINDS:
            sample: list[ObjectInfo] = []
            size = count = 0
            for each in self._reader.objects(kind, self._selection.hours):
                self._newest = max(self._newest or each.last_modified, each.last_modified)
                count += 1
                size += each.size
                if len(sample) < _SAMPLE:
                    sample.append(each)
                elif (place := choice.randrange(count)) < _SAMPLE:
                    sample[place] = each
            read: list[int] = []
            bytes_read = lines = 0
            for each in sample:
                if lines >= _SAMPLE_LINES:
                    break
                bytes_read += each.size
                for archived in self._reader.items(kind, each.key, []):
                    lines += 1
                    if self._selection.accepts(archived):
                        read.append(write_units(archived))
            share = size / (bytes_read or 1)
            objects += count
            items += round(len(read) * share)
            units += round(sum(read) * share)
        return Estimate(objects, items, units, self._newest)

    def run(self, progress: Callable[[int], None]) -> RestoreResult:
        """Restore. ``progress`` gets the number of objects that were read.

        Raises botocore's errors, and ToolError if DynamoDB does not accept items.
        """
        done = 0
        with ThreadPoolExecutor(_THREADS) as pool:
            chunks = _InProgress(pool, self._writer.write)
            try:
                for kind in KINDS:
                    if kind == REJECTED:
                        self._note_later_events()
                    for key in self._keys(kind, self._selection.hours):
                        for chunk in self._chunks(self._selected(kind, key)):
                            chunks.start(chunk)
                        done += 1
                        progress(done)
                    chunks.finish()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return self.result

    def _keys(self, kind: str, hours: ArchiveRange | None) -> Iterator[str]:
        for each in self._reader.objects(kind, hours):
            if self._newest is None or each.last_modified <= self._newest:
                yield each.key

    def _selected(self, kind: str, key: str) -> Iterator[ArchivedItem]:
        for archived in self._items(kind, key):
            self._note(archived)
            if not self._selection.accepts(archived):
                continue
            if archived.kind == REJECTED and self._is_accepted(archived.key):
                self.result.replayed += 1
            else:
                yield archived

    def _items(self, kind: str, key: str) -> Iterator[ArchivedItem]:
        problems: list[str] = []
        yield from self._reader.items(kind, key, problems)
        for problem in problems:
            self.result.find(DAMAGED, problem)

    def _note(self, archived: ArchivedItem) -> None:
        """Remember a message that is no longer rejected, because a replay or a copy of it was accepted."""
        if archived.kind == DUPLICATES or (archived.kind == EVENTS and flag(archived.item, "replayed")):
            id_ = required(archived.item, MESSAGE_ID)
            self._accepted.execute("INSERT OR IGNORE INTO ids VALUES (?)", (id_,))

    def _is_accepted(self, message_id: str) -> bool:
        found = self._accepted.execute("SELECT 1 FROM ids WHERE id = ?", (message_id,))
        return found.fetchone() is not None

    def _note_later_events(self) -> None:
        """Remember what was replayed after the range, if the range has rejected events."""
        hours = self._selection.hours
        if hours is None or next(self._reader.objects(REJECTED, hours), None) is None:
            return
        later = replace(hours, since=hours.until, until=datetime.now(UTC) + timedelta(hours=1))
        for kind in (EVENTS, DUPLICATES):
            for each in self._reader.objects(kind, later):
                for archived in self._reader.items(kind, each.key, []):
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


class _InProgress:
    """Chunks that threads write: a few at a time, because they are in memory."""

    def __init__(self, pool: ThreadPoolExecutor, write: Callable[[list[ArchivedItem]], None]) -> None:
        self._pool = pool
        self._write = write
        self._running: set[Future[None]] = set()

    def start(self, chunk: list[ArchivedItem]) -> None:
        """Write a chunk, when fewer than twice as many as threads are in progress."""
        while len(self._running) >= 2 * _THREADS:
            self._wait(FIRST_COMPLETED)
        self._running.add(self._pool.submit(self._write, chunk))

    def finish(self) -> None:
        """Wait for all chunks. Raises the error of one that failed."""
        while self._running:
            self._wait(FIRST_COMPLETED)

    def _wait(self, until: str) -> None:
        done, self._running = wait(self._running, return_when=until)
        for future in done:
            future.result()


def _retention_days(resources: Resources) -> int:
    """Return the days that the function keeps rejected events, for lines that have no time of expiry."""
    functions = resources.client("lambda")
    try:
        configuration = functions.get_function_configuration(FunctionName=resources.function_name)
    except ClientError:  # it may be lost, too
        return _RETENTION_DAYS
    variables = configuration.get("Environment", {}).get("Variables", {})
    return int(variables.get("REJECTED_RETENTION_DAYS") or _RETENTION_DAYS)
