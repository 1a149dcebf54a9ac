"""Ask the tables for the rows of a run by their keys, instead of reading all rows."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import Any

from producer.manifest import SentMessage
from storage.keys import PAYLOAD_PREFIX
from tools.core import archive_objects, queues, tables
from tools.core.disk import DiskMap
from tools.core.resources import Resources
from tools.ops.verify.reconcile import reconcile
from tools.ops.verify.snapshot import (
    DUPLICATE,
    REJECTED,
    STORED,
    Duplicate,
    Queued,
    Rejected,
    Snapshot,
    TableReader,
    to_text,
)

# A page of a scan is 1 MB, which takes 256 read units, and a key that has no item takes one.
_KEYS_FOR_A_PAGE = 1_000


class Lookup:
    """Finds the rows of a run's messages. Create one after the queues have drained."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._queued = Queued.read(resources)
        self._small: dict[str, DiskMap | None] = {}

    def collect(self, sent: Sequence[SentMessage]) -> Snapshot:
        """Return the rows and queued messages of these messages, of which no copy may be missing.

        The tables are read in the order in which messages pass them, so that a message that moves meanwhile
        is seen twice rather than not at all: a duplicate is recorded after its original is stored, and a
        replayed row is deleted after its event is stored.
        """
        contents = self._collect(sent, {}, {})
        found = {(row.message_id, row.content_hash) for row in (*contents.items, *contents.duplicates)}
        if not all((message.message_id, message.content_hash) in found for message in sent) and (
            reconcile(sent, contents).lost
        ):
            # A redrive gives messages new ids, by which rejected and duplicate rows are filed.
            hashes, known = (
                {getattr(each, name) for each in sent} for name in ("content_hash", "message_id")
            )
            renamed = (
                {row.message_id: row for row in _of(hashes, kind, rows) if row.message_id not in known}
                for kind, rows in zip((Rejected, Duplicate), self._by_content, strict=True)
            )
            return self._collect(sent, *renamed)
        return contents

    def _collect(
        self, sent: Sequence[SentMessage], rejected: dict[str, Any], duplicates: dict[str, Any]
    ) -> Snapshot:
        resources, unreadable = self._resources, list[tuple[str, str]]()
        message_ids = [message.message_id for message in sent]

        def get(reader: TableReader, table: str, keys: Iterable[str]) -> list[Any]:
            small = None if reader is STORED else self._read_small(table, reader, len(sent))
            items = (
                tables.get_in_parallel(resources, table, reader.attributes, reader.key, keys)
                if small is None
                else (json.loads(item) for item in small.values_of(dict.fromkeys(keys)))
            )
            rows, damaged = reader.rows(table, items)
            unreadable.extend(damaged)
            return rows

        own_rejected = [*get(REJECTED, resources.rejected_table_name, message_ids), *rejected.values()]
        own_duplicates = [*get(DUPLICATE, resources.duplicates_table_name, message_ids), *duplicates.values()]
        event_ids = [message.event_id for message in sent if message.event_id is not None]
        # The original of a row that was written by hand may be an event that was not sent.
        originals = [row.event_id for row in own_duplicates]
        stored = get(STORED, resources.table_name, event_ids + originals)
        depth = queues.depth(resources.client("sqs"), resources.queue_url).total
        has_claim_checks = any(item.payload_key for item in (*stored, *own_rejected))
        return Snapshot(
            stored=stored,
            duplicates=own_duplicates,
            rejected=own_rejected,
            objects=self._payload_keys if has_claim_checks else frozenset(),
            bodies_kept=resources.bodies_kept,
            unreadable=tuple(unreadable),
            **self._queued.at(depth),
        )

    def _read_small(self, table: str, reader: TableReader, count: int) -> DiskMap | None:
        """Return all items of a table by their keys, or None if asking for ``count`` of them costs less.

        The first part of a run decides it, for all of them. DynamoDB's own count of the items lags by hours.
        """
        if table not in self._small:
            most, found = count // _KEYS_FOR_A_PAGE, DiskMap()
            pages = tables.pages(
                self._resources.client("dynamodb"), table, **tables.projection(reader.attributes)
            )
            for page in islice(pages, most):
                # An item that was written by hand may have bytes.
                found.add_all((item[reader.key]["S"], json.dumps(item, default=str)) for item in page)
            self._small[table] = found if most and next(pages, None) is None else None
        return self._small[table]

    @cached_property
    def _by_content(self) -> tuple[DiskMap, DiskMap]:
        """Return all rejected and all duplicate rows by their content hashes."""
        resources = self._resources
        return (
            _scan(resources, resources.rejected_table_name, REJECTED),
            _scan(resources, resources.duplicates_table_name, DUPLICATE),
        )

    @cached_property
    def _payload_keys(self) -> DiskMap:
        keys = DiskMap()
        s3, bucket = self._resources.client("s3"), self._resources.payload_bucket
        for entry in archive_objects.listed(s3, bucket, PAYLOAD_PREFIX):
            keys.add(entry["Key"])
        return keys


def _scan(resources: Resources, table: str, reader: TableReader) -> DiskMap:
    found = DiskMap()
    pages = tables.scan(resources, table, reader.attributes, lambda items: reader.rows(table, items)[0])
    for page in pages:
        for row in page:
            found.add(row.content_hash, to_text(row))
    return found


def _of(hashes: set[str], kind: Callable[..., Any], rows: DiskMap) -> Iterator[Any]:
    return (kind(*json.loads(row)) for each in hashes for row in rows.values(each))
