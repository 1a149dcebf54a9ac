"""Compare the archive bucket with the tables: every row is archived at least once.

Rows of the events table are never deleted, so archived and stored events must be the same. Rejected rows
expire and are replayed, and duplicates expire, so the archive may hold more of them than the tables.
"""

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import chain, islice
from typing import Any

from archiver.lines import DUPLICATES, EVENTS, KINDS, REJECTED, UNREADABLE
from storage.attributes import CONTENT_HASH, EVENT_ID, MESSAGE_ID, text
from storage.timestamps import iso_millis
from tools.core import archive_objects, tables
from tools.core.archive_objects import DamagedObject
from tools.core.disk import DiskMap, scratch_database, select
from tools.core.parallel import parallel
from tools.core.resources import Resources
from tools.ops.verify.reconcile import Discrepancy
from tools.ops.verify.snapshot import Duplicate, Rejected, Snapshot, Stored

NOT_ARCHIVED = "not archived"
NOT_STORED = "archived and not stored"
DAMAGED = "archive damaged"

Row = tuple[str, str]
"""The key of an item, and its content hash."""
_Entry = tuple[int, str, int]

_THREADS = 4
_LOOKED_UP = 10_000
_EXPECTED, _FOUND, _UNEXPECTED_EVENT = range(3)
_POLL_SECONDS = 1.0
_EVENT = b'"event":'
# A line is cut, see `archive_objects.lines`.
_OBJECT = re.compile(rb"\s*\{|\s{64}")
_PARTITION = re.compile(
    rf"{EVENTS}/type=\w{{1,64}}|{REJECTED}/kind=({'|'.join(sorted(KINDS))})|{DUPLICATES}", re.ASCII
)
_HOUR = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d):")


@dataclass
class ArchiveCheck:
    """The contents of the archive.

    ``events``, ``rejected`` and ``duplicates`` count rows: all, or those of the run. ``repeated`` counts
    further lines of a row, from a repeated batch or a rearchive. ``on_its_way`` lists rows that are too young
    to be archived for certain. ``before_stream`` counts duplicates that were recorded before their table had
    a stream. ``not_stored`` lists archived events that were deleted from the table. ``unreadable`` counts
    records that the archiver could not convert.
    """

    events: int = 0
    rejected: int = 0
    duplicates: int = 0
    before_stream: int = 0
    repeated: int = 0
    unreadable: int = 0
    discrepancies: list[Discrepancy] = field(default_factory=list)
    on_its_way: list[Discrepancy] = field(default_factory=list)
    not_stored: list[Discrepancy] = field(default_factory=list)


class ArchiveComparison:
    """Compares the archive with rows of the tables. Each object is read once, and the rows are on disk.

    With ``everything``, the whole archive is read, and its events are looked up if they are not expected,
    unless they are expected by other machines (``shared``). Otherwise only the hours are read in which the
    rows were received.
    """

    def __init__(self, resources: Resources, *, everything: bool, shared: bool = False) -> None:
        self._resources = resources
        self._everything = everything
        self._looks_up = everything and not shared
        self._s3 = resources.client("s3")
        self._prefixes = {f"{kind}/" for kind in (EVENTS, REJECTED, DUPLICATES)} if everything else set()
        self._keys_read = DiskMap()
        # The hash of each row, what it is, and whether it is expected, was found, or was found unexpected.
        self._rows = scratch_database()
        self._rows.execute("CREATE TABLE rows (hash INTEGER PRIMARY KEY, what TEXT, state INTEGER)")
        self._missing = 0
        self.result = ArchiveCheck()

    def expect(self, contents: Snapshot) -> None:
        """Add rows that must be in the archive."""
        expected = chain(
            (self._expected(f"{EVENTS}/type={row.event_type}", row.event_id, row) for row in contents.stored),
            (self._expected(f"{REJECTED}/kind={row.kind}", row.message_id, row) for row in contents.rejected),
            (self._expected(DUPLICATES, row.message_id, row) for row in contents.duplicates),
        )
        self._missing += self._add(expected)

    def _expected(self, partition: str, name: str, item: Stored | Rejected | Duplicate) -> _Entry:
        kind = partition.partition("/")[0]
        hour = _HOUR.match(item.received_at)
        # Rows with another type or time are archived under unreadable/.
        if hour and _PARTITION.fullmatch(partition) and not self._everything:
            self._prefixes.add(f"{partition}/dt={hour[1]}/hour={hour[2]}/")
        what = json.dumps((kind, item.written_at, name))
        return hash((kind, name, item.content_hash)), what, _EXPECTED

    def _add(self, entries: Iterable[_Entry]) -> int:
        """Add entries that are not there. Return their number."""
        return self._rows.executemany("INSERT OR IGNORE INTO rows VALUES (?, ?, ?)", entries).rowcount

    def _all(self, state: int) -> Iterator[Any]:
        rows = self._rows.execute("SELECT what FROM rows WHERE state = ? ORDER BY what", (state,))
        return (json.loads(what) for (what,) in rows)

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
        for kind, written_at, name in self._all(_EXPECTED):
            if kind == DUPLICATES and written_at < self._stream_since:
                result.before_stream += 1
                continue
            discrepancy = Discrepancy(NOT_ARCHIVED, name, f"it is in the {kind} table since {written_at}")
            (result.on_its_way if written_at > young else result.discrepancies).append(discrepancy)
        result.not_stored = list(self._not_stored())
        return result

    def read_new(self) -> None:
        """Read the objects that were added since the last call."""
        new = (key for key in self._keys() if self._keys_read.add(key))
        for kind, rows, damaged in parallel(self._read, new, _THREADS):
            self.result.discrepancies += damaged
            self._found(kind, rows)

    def _keys(self) -> Iterator[str]:
        for prefix in (*sorted(self._prefixes), f"{UNREADABLE}/"):
            for entry in archive_objects.listed(self._s3, self._resources.archive_bucket, prefix):
                yield entry["Key"]

    def _read(self, key: str) -> tuple[str, list[Row], list[Discrepancy]]:
        """Return the rows of an object. A line that cannot be read is a discrepancy and hides no other."""
        kind = key.partition("/")[0]
        parse = _PARSERS[kind]
        rows: list[Row] = []
        problems: list[str] = []
        try:
            data = archive_objects.read(self._s3, self._resources.archive_bucket, key)
            body = _EVENT if kind == EVENTS else b""
            for number, line in enumerate(archive_objects.lines(data, body), 1):
                try:
                    rows.append(parse(line))
                except Exception as error:  # noqa: BLE001 - a line written by hand must not end the command
                    problems.append(f"line {number} cannot be read: {error}"[:200])
        except DamagedObject as error:
            problems.append(f"it cannot be read: {error}")
        more = f"; and {len(problems) - 1:,} more" if len(problems) > 1 else ""
        return kind, rows, [Discrepancy(DAMAGED, key, problems[0] + more)] if problems else []

    def _found(self, kind: str, rows: list[Row]) -> None:
        """Mark the rows of an object as archived, and count them."""
        if kind == UNREADABLE:
            # An unreadable record has an alarm, and is archived.
            self.result.unreadable += len(rows)
            for table in (EVENTS, REJECTED, DUPLICATES):
                self._mark(table, rows, adds=False)
            return
        new, repeated = self._mark(kind, rows, adds=self._looks_up)
        self.result.events += new if kind == EVENTS else 0
        self.result.rejected += new if kind == REJECTED else 0
        self.result.duplicates += new if kind == DUPLICATES else 0
        self.result.repeated += repeated

    def _mark(self, kind: str, rows: list[Row], *, adds: bool) -> tuple[int, int]:
        """Mark rows as archived, and with ``adds`` keep those that are not expected.

        Returns the number of rows of which this is the first line, and of those that had a line before.
        """
        digests = [hash((kind, *row)) for row in rows]
        states = dict(select(self._rows, "SELECT hash, state FROM rows WHERE hash IN", digests))
        found: list[tuple[int, int]] = []
        added: list[_Entry] = []
        repeated = 0
        for digest, row in zip(digests, rows, strict=True):
            state = states.get(digest)
            if state == _EXPECTED:
                found.append((_FOUND, digest))
            elif state is not None:
                repeated += 1
            elif adds:
                added.append((digest, json.dumps(row), _UNEXPECTED_EVENT if kind == EVENTS else _FOUND))
            else:
                continue
            states[digest] = _FOUND
        self._rows.executemany("UPDATE rows SET state = ? WHERE hash = ?", found)
        self._add(added)
        self._missing -= len(found)
        return len(found) + len(added), repeated

    @cached_property
    def _stream_since(self) -> str:
        """Return when the stream of the duplicates was made: release 1.0.0 had none."""
        table = self._resources.duplicates_table_name
        described = self._resources.client("dynamodb").describe_table(TableName=table)["Table"]
        return str(described.get("LatestStreamLabel") or "")

    def _not_stored(self) -> Iterator[Discrepancy]:
        unexpected = self._all(_UNEXPECTED_EVENT)
        while rows := list(islice(unexpected, _LOOKED_UP)):
            # Events that were stored after the table was read may be archived already.
            items = tables.get_in_parallel(
                self._resources,
                self._resources.table_name,
                (EVENT_ID, CONTENT_HASH),
                EVENT_ID,
                (event_id for event_id, _ in rows),
            )
            stored_later = {(item[EVENT_ID]["S"], text(item, CONTENT_HASH)) for item in items}
            for event_id, content_hash in rows:
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


def _parse_message(line: bytes) -> Row:
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
    REJECTED: _parse_message,
    DUPLICATES: _parse_message,
    UNREADABLE: _parse_unreadable,
}
