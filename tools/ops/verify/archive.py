"""Compare the archive bucket with the tables: every stored item is archived at least once.

Rows of the events table are never deleted, so archived and stored events must be the same. Rejected rows
expire and are replayed, so the archive may hold more of them than the table.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from archiver.lines import EVENTS, KINDS, REJECTED, TYPES, UNREADABLE
from storage.attributes import CONTENT_HASH, EVENT_ID, MESSAGE_ID, text
from storage.timestamps import iso_millis
from tools.core import archive_objects, tables
from tools.core.archive_objects import DamagedObject
from tools.core.resources import Resources
from tools.ops.verify.reconcile import Discrepancy
from tools.ops.verify.snapshot import Rejected, Snapshot, Stored

NOT_ARCHIVED = "not archived"
NOT_STORED = "archived and not stored"
DAMAGED = "archive damaged"

Row = tuple[str, str]
"""The key of an item, and its content hash."""

_THREADS = 4
_POLL_SECONDS = 1.0
_EVENT = b'"event":'
_OBJECT = re.compile(rb"\s*\{")
_PARTITIONS = {f"type={name}" for name in TYPES} | {f"kind={kind}" for kind in KINDS}
_HOUR = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d):")


@dataclass
class ArchiveCheck:
    """The contents of the archive.

    ``events`` and ``rejected`` count rows: all, or those of the run. ``repeated`` counts further lines of a
    row, from a repeated batch or a rearchive. ``on_its_way`` lists rows that are too young to be archived for
    certain. ``not_stored`` lists archived events that were deleted from the table. ``unreadable`` counts
    records that the archiver could not convert.
    """

    events: int = 0
    rejected: int = 0
    repeated: int = 0
    unreadable: int = 0
    discrepancies: list[Discrepancy] = field(default_factory=list)
    on_its_way: list[Discrepancy] = field(default_factory=list)
    not_stored: list[Discrepancy] = field(default_factory=list)


class ArchiveComparison:
    """Compares the archive with rows of the tables. It keeps a hash of each row and reads each object once.

    With ``everything``, the whole archive is read, and its events are looked up if they are not expected,
    unless they are expected by other machines (``shared``). Otherwise only the hours are read in which the
    rows were received.
    """

    def __init__(self, resources: Resources, *, everything: bool, shared: bool = False) -> None:
        self._resources = resources
        self._everything = everything
        self._looks_up = everything and not shared
        self._s3 = resources.client("s3")
        self._prefixes = {f"{EVENTS}/", f"{REJECTED}/"} if everything else set()
        self._keys_read: set[str] = set()
        # Where an expected row is, or "" once it was found in the archive.
        self._expected: dict[int, str] = {}
        self._missing = 0
        self._unknown: set[int] = set()
        self._unknown_events: list[Row] = []
        self.result = ArchiveCheck()

    def expect(self, contents: Snapshot) -> None:
        """Add rows that must be in the archive."""
        for item in contents.stored:
            self._expect(EVENTS, f"type={item.event_type}", item.event_id, item)
        for row in contents.rejected:
            self._expect(REJECTED, f"kind={row.kind}", row.message_id, row)

    def _expect(self, prefix: str, partition: str, name: str, item: Stored | Rejected) -> None:
        row = hash((prefix, name, item.content_hash))
        if row not in self._expected:
            self._expected[row] = f"{prefix}\0{item.written_at}\0{name}"
            self._missing += 1
        hour = _HOUR.match(item.received_at)
        # Rows with another type or time are archived under unreadable/.
        if hour and partition in _PARTITIONS and not self._everything:
            self._prefixes.add(f"{prefix}/{partition}/dt={hour[1]}/hour={hour[2]}/")

    def compare(
        self,
        *,
        wait: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> ArchiveCheck:
        """Read the archive. Wait up to ``wait`` seconds for rows that are not yet archived.

        AWS bills reads of objects that are older than 90 days.
        """
        deadline = clock() + wait
        while True:
            self.read_new()
            if not self._missing or clock() >= deadline:
                break
            sleep(_POLL_SECONDS)
        result = self.result
        young = iso_millis(now() - timedelta(seconds=self._resources.archiving_seconds))
        for where in filter(None, self._expected.values()):
            prefix, written_at, name = where.split("\0", 2)
            discrepancy = Discrepancy(NOT_ARCHIVED, name, f"it is in the {prefix} table since {written_at}")
            (result.on_its_way if written_at > young else result.discrepancies).append(discrepancy)
        result.not_stored = list(self._not_stored())
        return result

    def read_new(self) -> None:
        """Read the objects that were added since the last call."""
        new = [key for key in self._keys() if key not in self._keys_read]
        with ThreadPoolExecutor(_THREADS) as pool:
            for key, (rows, damaged) in zip(new, pool.map(self._rows, new), strict=True):
                self._keys_read.add(key)
                self.result.discrepancies += damaged
                prefix = key.partition("/")[0]
                for row in rows:
                    self._found(prefix, row)

    def _keys(self) -> Iterator[str]:
        paginator = self._s3.get_paginator("list_objects_v2")
        for prefix in (*sorted(self._prefixes), f"{UNREADABLE}/"):
            for page in paginator.paginate(Bucket=self._resources.archive_bucket, Prefix=prefix):
                yield from (entry["Key"] for entry in page.get("Contents", []))

    def _rows(self, key: str) -> tuple[list[Row], list[Discrepancy]]:
        """Return the rows of an object. A line that cannot be read is a discrepancy and hides no other."""
        parse = _PARSERS[key.partition("/")[0]]
        rows: list[Row] = []
        problems: list[str] = []
        try:
            data = archive_objects.read(self._s3, self._resources.archive_bucket, key)
            for number, line in enumerate(archive_objects.lines(data), 1):
                try:
                    rows.append(parse(line))
                except Exception as error:  # noqa: BLE001 - a line written by hand must not end the command
                    problems.append(f"line {number} cannot be read: {error}"[:200])
        except DamagedObject as error:
            problems.append(f"it cannot be read: {error}")
        more = f"; and {len(problems) - 1:,} more" if len(problems) > 1 else ""
        return rows, [Discrepancy(DAMAGED, key, problems[0] + more)] if problems else []

    def _found(self, prefix: str, row: Row) -> None:
        if prefix == UNREADABLE:
            # An unreadable record has an alarm, and is archived.
            self.result.unreadable += 1
            for table in (EVENTS, REJECTED):
                self._mark(hash((table, *row)))
            return
        digest = hash((prefix, *row))
        found = self._mark(digest)
        if found is None and self._looks_up:
            found = digest not in self._unknown
            self._unknown.add(digest)
            if found and prefix == EVENTS:
                self._unknown_events.append(row)
        if found:
            self.result.events += prefix == EVENTS
            self.result.rejected += prefix == REJECTED
        elif found is False:
            self.result.repeated += 1

    def _mark(self, digest: int) -> bool | None:
        """Mark a row as archived. Return whether this is its first line, None if the row is not expected."""
        where = self._expected.get(digest)
        if not where:
            return None if where is None else False
        self._expected[digest] = ""
        self._missing -= 1
        return True

    def _not_stored(self) -> Iterator[Discrepancy]:
        # Events that were stored after the table was read may be archived already.
        items = tables.get_in_parallel(
            self._resources,
            self._resources.table_name,
            (EVENT_ID, CONTENT_HASH),
            EVENT_ID,
            (event_id for event_id, _ in self._unknown_events),
        )
        stored_later = {(item[EVENT_ID]["S"], text(item, CONTENT_HASH)) for item in items}
        for event_id, content_hash in self._unknown_events:
            if (event_id, content_hash) not in stored_later:
                yield Discrepancy(
                    NOT_STORED, event_id, "its item was deleted or overwritten with other content"
                )


def _parse_event(line: bytes) -> Row:
    # The event is the last member and is not parsed: its nesting and integers may exceed this Python's
    # limits. The key's quotes would be escaped inside a string.
    end = line.find(_EVENT)
    if end < 0 or not _OBJECT.match(line, end + len(_EVENT)):
        raise TypeError("an event is not a JSON object")
    return _row(json.loads(line[:end].rstrip(b", ") + b"}"), EVENT_ID)


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
