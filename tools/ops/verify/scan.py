"""Read every row of every table once, and decode and hash every body on the way.

The rows of the rejected and the duplicates table are kept on disk. Each page of events is checked together
with the rows that belong to it.
"""

import json
from collections.abc import Callable, Iterable
from itertools import islice
from threading import Lock
from typing import Any

from tools.core import queues, tables
from tools.core.disk import DiskMap
from tools.core.resources import Resources
from tools.core.tables import Item
from tools.ops import payloads
from tools.ops.share import Share
from tools.ops.verify import integrity
from tools.ops.verify.integrity import BodyCheck
from tools.ops.verify.snapshot import (
    DUPLICATE,
    REJECTED,
    STORED,
    Duplicate,
    Queued,
    Rejected,
    Snapshot,
    Stored,
    TableReader,
    to_text,
)

_LOOKED_UP = 10_000


class TableScan:
    """Reads the tables in the order in which messages pass them (see `lookup.Lookup.collect`).

    ``count`` gets this machine's rows once, and the check of their bodies. ``check`` gets rows that belong
    together. Neither is called by two threads at a time.
    """

    def __init__(
        self,
        resources: Resources,
        share: Share,
        *,
        count: Callable[[Snapshot, BodyCheck | None], None],
        check: Callable[[Snapshot], None],
        progress: Callable[[int], None],
    ) -> None:
        self._resources, self._share = resources, share
        self._count, self._check, self._progress = count, check, progress
        self._queued = Queued.read(resources)
        self._fetch = payloads.fetcher(resources)
        self._depth = self._queued.depth
        self._lock = Lock()
        self._done = 0
        self._rejected, self._duplicates = DiskMap(), DiskMap()

    def run(self) -> None:
        """Read this machine's share of the rows, and all rejected and duplicate rows, which belong to it."""
        resources = self._resources
        for own in range(self._share.of):
            self._read(resources.rejected_table_name, REJECTED, own)
        for own in range(self._share.of):
            self._read(resources.duplicates_table_name, DUPLICATE, own)
        self._read(resources.table_name, STORED, self._share.index)
        # Their originals are other machines' rows, or arrived meanwhile, or do not exist.
        rest = (_duplicate(row) for _, row in self._duplicates)
        rows = list(islice(rest, _LOOKED_UP))
        while True:
            originals = tables.get_in_parallel(
                resources, resources.table_name, STORED.attributes, STORED.key, (row.event_id for row in rows)
            )
            stored, unreadable = STORED.rows(resources.table_name, originals)
            self._depth = queues.depth(resources.client("sqs"), resources.queue_url).total
            self._check(self._snapshot(stored=stored, duplicates=rows, unreadable=unreadable))
            if not (rows := list(islice(rest, _LOOKED_UP))):
                return

    def _read(self, table: str, reader: TableReader, part: int) -> None:
        is_own = part == self._share.index
        with_bodies = is_own and reader is not DUPLICATE
        more = payloads.ATTRIBUTES if with_bodies else ()

        def on_page(items: list[Item]) -> None:
            bodies = integrity.check_bodies(reader.key, items, self._fetch) if with_bodies else None
            rows, unreadable = reader.rows(table, items)
            with self._lock:
                self._add(reader, rows, unreadable, bodies, is_own)
                self._done += len(items)
                self._progress(self._done)

        names = dict.fromkeys((*reader.attributes, *more))
        for _ in tables.scan(self._resources, table, names, on_page, part=part, parts=self._share.of):
            pass

    def _add(
        self,
        reader: TableReader,
        rows: list[Any],
        unreadable: list[tuple[str, str]],
        bodies: BodyCheck | None,
        is_own: bool,
    ) -> None:
        if is_own:
            self._count(self._snapshot(**{"rejected": (), reader.name: rows}), bodies)
        for row in rows:
            if reader is REJECTED:
                self._rejected.add(row.message_id, to_text(row))
            elif reader is DUPLICATE:
                self._duplicates.add(row.event_id, to_text(row))
        stored = rows if reader is STORED else []
        copies = [_duplicate(row) for each in stored for row in self._duplicates.pop(each.event_id)]
        self._check(self._snapshot(stored=stored, duplicates=copies, unreadable=unreadable if is_own else []))

    def _snapshot(
        self,
        stored: Iterable[Stored] = (),
        duplicates: Iterable[Duplicate] = (),
        rejected: Iterable[Rejected] | None = None,
        unreadable: Iterable[tuple[str, str]] = (),
    ) -> Snapshot:
        """Return these rows, and the rejected rows of their messages unless others are given."""
        stored, duplicates = list(stored), list(duplicates)
        if rejected is None:
            ids = {row.message_id for row in stored} | {row.message_id for row in duplicates}
            rejected = [Rejected(*json.loads(row)) for name in ids for row in self._rejected.values(name)]
        return Snapshot(
            stored=stored,
            duplicates=duplicates,
            rejected=list(rejected),
            objects=None,
            bodies_kept=self._resources.bodies_kept,
            unreadable=tuple(unreadable),
            **self._queued.at(self._depth),
        )


def _duplicate(row: str) -> Duplicate:
    return Duplicate(*json.loads(row))
