"""Ask the tables for the rows of a run by their keys, instead of reading all rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from producer.manifest import SentMessage
from storage.keys import PAYLOAD_PREFIX
from tools.core import queues, tables
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
)


class Lookup:
    """Finds the rows of a run's messages. Create one after the queues have drained."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._queued = Queued.read(resources)

    def collect(self, sent: Sequence[SentMessage]) -> Snapshot:
        """Return the rows and queued messages of these messages, of which no copy may be missing.

        The tables are read in the order in which messages pass them, so that a message that moves meanwhile
        is seen twice rather than not at all: a duplicate is recorded after its original is stored, and a
        replayed row is deleted after its event is stored.
        """
        contents = self._collect(sent, (), ())
        if reconcile(sent, contents).lost:
            # A redrive gives messages new ids, by which rejected and duplicate rows are filed.
            rejected, duplicates = self._renamed
            return self._collect(sent, rejected, duplicates)
        return contents

    def _collect(
        self, sent: Sequence[SentMessage], rejected: Iterable[Rejected], duplicates: Iterable[Duplicate]
    ) -> Snapshot:
        resources, unreadable = self._resources, list[tuple[str, str]]()
        message_ids = [message.message_id for message in sent]

        def get(reader: TableReader, table: str, keys: Iterable[str]) -> list[Any]:
            items = tables.get_in_parallel(resources, table, reader.attributes, reader.key, keys)
            rows, damaged = reader.rows(table, items)
            unreadable.extend(damaged)
            return rows

        hashes, known = {message.content_hash for message in sent}, set(message_ids)

        def of_the_run(rows: Iterable[Any]) -> list[Any]:
            return [row for row in rows if row.content_hash in hashes and row.message_id not in known]

        own_rejected = get(REJECTED, resources.rejected_table_name, message_ids) + of_the_run(rejected)
        own_duplicates = get(DUPLICATE, resources.duplicates_table_name, message_ids) + of_the_run(duplicates)
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

    @cached_property
    def _renamed(self) -> tuple[list[Rejected], list[Duplicate]]:
        resources = self._resources
        return (
            _scan(resources, resources.rejected_table_name, REJECTED),
            _scan(resources, resources.duplicates_table_name, DUPLICATE),
        )

    @cached_property
    def _payload_keys(self) -> frozenset[str]:
        pages = (
            self._resources.client("s3")
            .get_paginator("list_objects_v2")
            .paginate(Bucket=self._resources.payload_bucket, Prefix=PAYLOAD_PREFIX)
        )
        return frozenset(entry["Key"] for page in pages for entry in page.get("Contents", []))


def _scan(resources: Resources, table: str, reader: TableReader) -> list[Any]:
    pages = tables.scan(resources, table, reader.attributes, lambda items: reader.rows(table, items)[0])
    return [row for page in pages for row in page]
