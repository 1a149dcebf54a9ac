"""Compare the archive bucket with the tables: every stored item is archived at least once.

Rows of the events table are never deleted, so archived and stored events must be the same. Rejected rows
expire and are replayed, so the archive may hold more of them than the table.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from archiver.lines import EVENTS, REJECTED, UNREADABLE
from storage.attributes import CONTENT_HASH, EVENT_ID, MESSAGE_ID, text
from storage.timestamps import iso_millis
from tools.core import archive_objects, tables
from tools.core.archive_objects import DamagedObject
from tools.core.resources import Resources
from tools.ops.verify.reconcile import Discrepancy
from tools.ops.verify.snapshot import Snapshot

NOT_ARCHIVED = "not archived"
NOT_STORED = "archived and not stored"
DAMAGED = "archive damaged"

Row = tuple[str, str]
"""The key of an item, and its content hash."""

_THREADS = 8
_POLL_SECONDS = 1.0


@dataclass
class ArchiveCheck:
    """The contents of the archive.

    ``events`` and ``rejected`` count rows. ``repeated`` counts further lines of a row, from a repeated batch
    or a rearchive. ``on_its_way`` lists rows that are too young to be archived for certain. ``not_stored``
    lists archived events that were deleted from the table. ``unreadable`` counts records that the archiver
    could not convert.
    """

    events: int = 0
    rejected: int = 0
    repeated: int = 0
    unreadable: int = 0
    discrepancies: list[Discrepancy] = field(default_factory=list)
    on_its_way: list[Discrepancy] = field(default_factory=list)
    not_stored: list[Discrepancy] = field(default_factory=list)


class Archive:
    """The lines of the archive. Each object is read once, because objects never change."""

    def __init__(self, resources: Resources) -> None:
        self._s3 = resources.client("s3")
        self._bucket = resources.archive_bucket
        self._keys_read: set[str] = set()
        self.rows: dict[str, Counter[Row]] = {prefix: Counter() for prefix in (EVENTS, REJECTED, UNREADABLE)}
        self.damaged: list[Discrepancy] = []

    def read_new(self) -> None:
        """Read the objects that were added since the last call."""
        new = [key for key in self._keys() if key not in self._keys_read]
        with ThreadPoolExecutor(_THREADS) as pool:
            for key, rows in zip(new, pool.map(self._rows, new), strict=True):
                self._keys_read.add(key)
                self.rows[key.partition("/")[0]].update(rows)

    def contains(self, prefix: str, row: Row) -> bool:
        """Return whether a row is archived, readable or not. Unreadable records have an alarm."""
        return row in self.rows[prefix] or row in self.rows[UNREADABLE]

    def _keys(self) -> Iterator[str]:
        paginator = self._s3.get_paginator("list_objects_v2")
        for prefix in self.rows:
            for page in paginator.paginate(Bucket=self._bucket, Prefix=f"{prefix}/"):
                yield from (entry["Key"] for entry in page.get("Contents", []))

    def _rows(self, key: str) -> Counter[Row]:
        """Return the rows of an object. A line that cannot be read is a discrepancy and hides no other."""
        parse = _PARSERS[key.partition("/")[0]]
        rows: Counter[Row] = Counter()
        problems: list[str] = []
        try:
            data = archive_objects.read(self._s3, self._bucket, key)
            for number, line in enumerate(archive_objects.lines(data), 1):
                try:
                    rows[parse(line)] += 1
                except Exception as error:  # noqa: BLE001 - a line written by hand must not end the command
                    problems.append(f"line {number} cannot be read: {error}"[:200])
        except DamagedObject as error:
            problems.append(f"it cannot be read: {error}")
        if problems:
            more = f"; and {len(problems) - 1:,} more" if len(problems) > 1 else ""
            self.damaged.append(Discrepancy(DAMAGED, key, problems[0] + more))
        return rows


def check(
    resources: Resources,
    snapshot: Snapshot,
    *,
    wait: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> ArchiveCheck:
    """Compare the archive with the tables. Wait up to ``wait`` seconds for rows that are not yet archived.

    Reads the whole archive. AWS bills reads of objects that are older than 90 days.
    """
    archive = Archive(resources)
    deadline = clock() + wait
    tables_by_prefix = {
        EVENTS: {(item.event_id, item.content_hash): item.written_at for item in snapshot.stored},
        REJECTED: {(item.message_id, item.content_hash): item.written_at for item in snapshot.rejected},
    }
    while True:
        archive.read_new()
        missing = {
            prefix: [row for row in rows if not archive.contains(prefix, row)]
            for prefix, rows in tables_by_prefix.items()
        }
        if not any(missing.values()) or clock() >= deadline:
            break
        sleep(_POLL_SECONDS)
    result = ArchiveCheck(
        events=len(archive.rows[EVENTS]),
        rejected=len(archive.rows[REJECTED]),
        repeated=sum(archive.rows[prefix].total() - len(archive.rows[prefix]) for prefix in tables_by_prefix),
        unreadable=archive.rows[UNREADABLE].total(),
        discrepancies=archive.damaged,
    )
    young = iso_millis(now() - timedelta(seconds=resources.archiving_seconds))
    for prefix, rows in missing.items():
        for row in rows:
            written_at = tables_by_prefix[prefix][row]
            what = f"it is in the {prefix} table since {written_at}"
            discrepancy = Discrepancy(NOT_ARCHIVED, row[0], what)
            (result.on_its_way if written_at > young else result.discrepancies).append(discrepancy)
    result.not_stored = list(_not_stored(resources, archive, tables_by_prefix[EVENTS]))
    return result


def _not_stored(resources: Resources, archive: Archive, stored: Iterable[Row]) -> Iterator[Discrepancy]:
    known = set(stored)
    unknown = [row for row in archive.rows[EVENTS] if row not in known]
    if not unknown:
        return
    # Events that were stored after the snapshot may be archived already.
    items = tables.get_attributes(
        resources.client("dynamodb"),
        resources.table_name,
        EVENT_ID,
        (event_id for event_id, _ in unknown),
        CONTENT_HASH,
    )
    stored_later = {(item[EVENT_ID]["S"], text(item, CONTENT_HASH)) for item in items}
    for event_id, content_hash in unknown:
        if (event_id, content_hash) not in stored_later:
            yield Discrepancy(NOT_STORED, event_id, "its item was deleted or overwritten with other content")


def _parse_event(line: bytes) -> Row:
    # The event is the last member and is not parsed: its nesting and integers may exceed this Python's
    # limits. The key's quotes would be escaped inside a string.
    head, _, event = line.partition(b'"event":')
    if not event.strip().startswith(b"{"):
        raise TypeError("an event is not a JSON object")
    return _row(json.loads(head.rstrip(b", ") + b"}"), EVENT_ID)


def _parse_rejected(line: bytes) -> Row:
    return _row(json.loads(line), MESSAGE_ID)


def _row(members: dict[str, Any], key: str) -> Row:
    row = members[key], members[CONTENT_HASH]
    if not all(isinstance(value, str) for value in row):
        raise TypeError(f"its {key} or its {CONTENT_HASH} is not a string")
    return row


def _parse_unreadable(line: bytes) -> Row:
    image = json.loads(line)["image"]
    image = image if isinstance(image, dict) else {}
    key = text(image, EVENT_ID if EVENT_ID in image else MESSAGE_ID)
    return key or "", text(image, CONTENT_HASH) or ""


_PARSERS: dict[str, Callable[[bytes], Row]] = {
    EVENTS: _parse_event,
    REJECTED: _parse_rejected,
    UNREADABLE: _parse_unreadable,
}
