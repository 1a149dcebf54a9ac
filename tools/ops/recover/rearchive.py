"""`make rearchive`: writes a span of the tables to the archive again, after a gap or a fault of the archiver.

It adds and never deletes: what was archived already is there twice then, under another name, and queries
take one line of each. The same span gives the same names, so that a second run writes over the first.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from archiver.lines import EVENTS, REJECTED, TYPES, Fetch, Line, UnreadableItem, event_line, rejected_line
from archiver.objects import Object, Objects
from storage.keys import shard_keys
from storage.timestamps import iso_millis
from tools.core import queues, tables
from tools.core.indexes import BY_TYPE, NEWEST_REJECTED, newest_first
from tools.core.resources import Resources
from tools.core.tables import Item
from tools.core.time_range import TimeRange
from tools.ops.payloads import BodyLost, fetcher

# Kept as they are for the report; the rest is counted.
_NAMED = 20
# Messages of the failures queue that are looked at.
_FAILURES = 100


@dataclass
class Rearchived:
    """What was written: lines by partition, objects, bytes. ``refused`` says of items why no line is made."""

    lines: Counter[str] = field(default_factory=Counter)
    objects: int = 0
    bytes: int = 0
    refused_count: int = 0
    refused: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure:
    """A batch that Lambda gave up on: of which stream, how many records, when they were written, and why."""

    table: str
    records: int
    since: str
    until: str
    why: str


def rehearse(resources: Resources, span: TimeRange) -> Rearchived:
    """Count what `rearchive` would write, by the indexes alone."""
    done = Rearchived()
    for event_type in sorted(TYPES):
        done.lines[f"{EVENTS}/type={event_type}"] = sum(1 for _ in _event_ids(resources, span, event_type))
    for item in _rejected_items(resources, span):
        done.lines[f"{REJECTED}/kind={tables.text(item, 'kind')}"] += 1
    done.lines = +done.lines
    return done


def rearchive(resources: Resources, span: TimeRange, progress: Callable[[int], None]) -> Rearchived:
    """Write the lines of all items that were received in the span. ``progress`` is told how many there are.

    Holds 25 items and 32 MB of lines at a time. Raises botocore's errors; a second run goes over it again.
    """
    done = Rearchived()
    objects = Objects(span.name)
    for line in _lines(resources, span, done):
        _write(resources, done, objects.add(line))
        done.lines[line.partition.rpartition("/dt=")[0]] += 1
        progress(done.lines.total())
    _write(resources, done, objects.rest())
    return done


def failures(resources: Resources) -> list[Failure]:
    """What the failures queue names, at most 100 batches. Everything is put back where it was received."""
    return [
        _failure(json.loads(body))
        for body in queues.read_bodies(resources, resources.archive_failures_queue_url, _FAILURES)
    ]


def _event_ids(resources: Resources, span: TimeRange, event_type: str) -> Iterator[str]:
    entries = newest_first(
        resources.client("dynamodb"),
        resources.table_name,
        BY_TYPE,
        shard_keys(event_type),
        since=iso_millis(span.since),
        until=iso_millis(span.until),
    )
    for entry in entries:
        if entry["received_at"]["S"] in span:
            yield entry["event_id"]["S"]


def _rejected_items(resources: Resources, span: TimeRange) -> Iterator[Item]:
    # The index goes by when they were rejected, which is later than when they were received, by days perhaps.
    entries = newest_first(
        resources.client("dynamodb"),
        resources.rejected_table_name,
        NEWEST_REJECTED,
        shard_keys("rejected"),
        since=iso_millis(span.since),
    )
    ids = (entry["message_id"]["S"] for entry in entries)
    items = tables.whole_items(resources.client("dynamodb"), resources.rejected_table_name, "message_id", ids)
    return (item for item in items if (tables.text(item, "received_at") or "") in span)


def _lines(resources: Resources, span: TimeRange, done: Rearchived) -> Iterator[Line]:
    fetch = fetcher(resources)
    for event_type in sorted(TYPES):
        ids = _event_ids(resources, span, event_type)
        for item in tables.whole_items(resources.client("dynamodb"), resources.table_name, "event_id", ids):
            yield from _line(item, "event_id", event_line, fetch, done)
    for item in _rejected_items(resources, span):
        yield from _line(item, "message_id", rejected_line, fetch, done)


def _line(
    item: Item, key: str, make: Callable[[Item, Fetch], Line], fetch: Fetch, done: Rearchived
) -> list[Line]:
    try:
        return [make(item, fetch)]
    except (UnreadableItem, BodyLost) as error:
        done.refused_count += 1
        if len(done.refused) < _NAMED:
            done.refused[item[key]["S"]] = str(error)
        return []


def _write(resources: Resources, done: Rearchived, objects: list[Object]) -> None:
    for made in objects:
        resources.client("s3").put_object(
            Bucket=resources.archive_bucket, Key=made.key, Body=made.data, ContentType="application/gzip"
        )
        done.objects += 1
        done.bytes += len(made.data)


def _failure(message: dict[str, Any]) -> Failure:
    """Read what Lambda sends (Lambda developer guide, "Configuring a destination for failed invocations")."""
    batch = message.get("DDBStreamBatchInfo") or {}
    context = message.get("requestContext") or {}
    stream = str(batch.get("streamArn", "")).split("/")
    return Failure(
        table=stream[1] if len(stream) > 1 else "?",
        records=int(batch.get("batchSize") or 0),
        since=str(batch.get("approximateArrivalOfFirstRecord", "?")),
        until=str(batch.get("approximateArrivalOfLastRecord", "?")),
        why=str(context.get("condition", "?")),
    )
