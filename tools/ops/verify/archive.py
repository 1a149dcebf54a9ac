"""The archive bucket against the tables: what is stored is archived, once or more often, and nothing else is.

An event's row never leaves the events table by itself, so that archived and stored must be the same. Rejected
rows expire and are replayed, so that the archive holds at least what the table does.
"""

from __future__ import annotations

import gzip
import json
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from archiver.lines import EVENTS, REJECTED, UNREADABLE
from storage.timestamps import iso_millis
from tools.core import tables
from tools.core.resources import Resources
from tools.ops.verify.reconcile import Discrepancy
from tools.ops.verify.snapshot import Snapshot

NOT_ARCHIVED = "not archived"
NOT_STORED = "archived and not stored"
DAMAGED = "archive damaged"

Row = tuple[str, str]
"""The key of an item, and its content hash."""

_AT_ONCE = 8
_POLL_SECONDS = 1.0


@dataclass
class ArchiveCheck:
    """The archive as it was found.

    ``events`` and ``rejected`` count rows, each once; ``repeated`` counts the further lines of a row: a batch
    that came twice, or a rearchive. ``on_its_way`` are rows so young that the archiver may not have had them
    yet. ``not_stored`` are events that are no longer in the table: nothing here deletes events, so that
    somebody did, and nothing is lost by it. ``unreadable`` are records that no line could be made of.
    """

    events: int = 0
    rejected: int = 0
    repeated: int = 0
    unreadable: int = 0
    findings: list[Discrepancy] = field(default_factory=list)
    on_its_way: list[Discrepancy] = field(default_factory=list)
    not_stored: list[Discrepancy] = field(default_factory=list)


class Archive:
    """The lines of the archive. What was read is not read again: objects never change."""

    def __init__(self, resources: Resources) -> None:
        self._s3 = resources.client("s3")
        self._bucket = resources.archive_bucket
        self._read: set[str] = set()
        self.rows: dict[str, Counter[Row]] = {place: Counter() for place in (EVENTS, REJECTED, UNREADABLE)}
        self.damaged: list[Discrepancy] = []

    def look(self) -> None:
        """Read the objects that have come since the last look."""
        new = [key for key in self._keys() if key not in self._read]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for key, rows in zip(new, pool.map(self._rows, new), strict=True):
                self._read.add(key)
                if isinstance(rows, Discrepancy):
                    self.damaged.append(rows)
                else:
                    self.rows[key.partition("/")[0]].update(rows)

    def _keys(self) -> Iterator[str]:
        paginator = self._s3.get_paginator("list_objects_v2")
        for place in self.rows:
            for page in paginator.paginate(Bucket=self._bucket, Prefix=f"{place}/"):
                yield from (entry["Key"] for entry in page.get("Contents", []))

    def _rows(self, key: str) -> Counter[Row] | Discrepancy:
        data = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        row_of = _ROWS[key.partition("/")[0]]
        try:
            return Counter(row_of(line) for line in gzip.decompress(data).splitlines())
        except (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error) as error:
            return Discrepancy(DAMAGED, key, f"it cannot be read: {error}")


def check(
    resources: Resources,
    found: Snapshot,
    *,
    wait: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> ArchiveCheck:
    """Hold the archive against the tables, waiting up to ``wait`` seconds for what is still on its way.

    Reads the archive whole. Objects that are older than 90 days are billed for being read.
    """
    archive = Archive(resources)
    deadline = clock() + wait
    stored = {(item.event_id, item.content_hash): item.kept_at for item in found.stored}
    rejected = {(item.message_id, item.content_hash): item.kept_at for item in found.rejected}
    while True:
        archive.look()
        missing = {
            place: [row for row in rows if not _holds(archive, place, row)]
            for place, rows in ((EVENTS, stored), (REJECTED, rejected))
        }
        if not any(missing.values()) or clock() >= deadline:
            break
        sleep(_POLL_SECONDS)
    made = ArchiveCheck(
        events=len(archive.rows[EVENTS]),
        rejected=len(archive.rows[REJECTED]),
        repeated=sum(rows.total() - len(rows) for place, rows in archive.rows.items() if place != UNREADABLE),
        unreadable=archive.rows[UNREADABLE].total(),
        findings=archive.damaged,
    )
    young = iso_millis(now() - timedelta(seconds=resources.archiving_seconds))
    for place, kept_at in ((EVENTS, stored), (REJECTED, rejected)):
        for row in missing[place]:
            finding = Discrepancy(NOT_ARCHIVED, row[0], f"it is in the {place} table since {kept_at[row]}")
            (made.on_its_way if kept_at[row] > young else made.findings).append(finding)
    made.not_stored = list(_not_stored(resources, archive, stored))
    return made


def _holds(archive: Archive, place: str, row: Row) -> bool:
    # What is unreadable is there, too, though not where anybody would query it; it has an alarm of its own.
    return row in archive.rows[place] or row in archive.rows[UNREADABLE]


def _not_stored(resources: Resources, archive: Archive, stored: Iterable[Row]) -> Iterator[Discrepancy]:
    known = set(stored)
    strange = [row for row in archive.rows[EVENTS] if row not in known]
    if not strange:
        return
    # What was stored after the tables were read is archived all the same.
    items = tables.attributes_of(
        resources.client("dynamodb"),
        resources.table_name,
        "event_id",
        (event_id for event_id, _ in strange),
        "content_hash",
    )
    there = {(item["event_id"]["S"], tables.text(item, "content_hash")) for item in items}
    for event_id, content_hash in strange:
        if (event_id, content_hash) not in there:
            yield Discrepancy(
                NOT_STORED, event_id, "somebody has deleted its item, or written another content"
            )


def _event(line: bytes) -> Row:
    # The event comes last and is not parsed: it may be nested deeper, and hold longer integers, than this
    # Python reads. Inside a string the key's quotes would be escaped.
    head, _, event = line.partition(b'"event":')
    if not event.strip().startswith(b"{"):
        raise TypeError("an event is no JSON object")
    members = json.loads(head.rstrip(b", ") + b"}")
    return members["event_id"], members["content_hash"]


def _rejected(line: bytes) -> Row:
    members = json.loads(line)
    return members["message_id"], members["content_hash"]


def _unreadable(line: bytes) -> Row:
    image = json.loads(line)["image"]
    image = image if isinstance(image, dict) else {}
    key = tables.text(image, "event_id" if "event_id" in image else "message_id")
    return key or "", tables.text(image, "content_hash") or ""


_ROWS: dict[str, Callable[[bytes], Row]] = {
    EVENTS: _event,
    REJECTED: _rejected,
    UNREADABLE: _unreadable,
}
