"""`make rearchive`: writes a span of the tables to the archive again, after a gap or a fault of the archiver.

It adds and never deletes: what was archived already is there twice then, under another name, and queries
take one line of each. The same span gives the same names, so that a second run writes over the first.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from archiver.lines import EVENTS, REJECTED, TYPES, Fetch, Line, UnreadableItem, event_line, rejected_line
from archiver.objects import Object, Objects
from processor.messages import iso

from ops import queues, rejections, tables
from ops.bodies import BodyLost, fetcher
from ops.errors import OpsError, UsageError
from ops.events import BY_TYPE
from ops.indexes import buckets, newest_first
from ops.logs import seconds_of
from ops.resources import Resources
from ops.tables import Item

# Kept as they are for the report; the rest is counted.
_NAMED = 20
# Messages of the failures queue that are looked at.
_FAILURES = 100


@dataclass(frozen=True, slots=True)
class Span:
    """From a time on and up to another one, by when SQS took the message; UTC."""

    since: datetime
    until: datetime

    @classmethod
    def read(cls, since: str | None, until: str | None, now: datetime) -> Span:
        """Read two times, or ages such as ``2h``; up to now unless told. Raises UsageError."""
        if not since:
            raise UsageError("Since when?", "make rearchive SINCE=2h, or SINCE=2026-11-22T14:00 UNTIL=...")
        span = cls(_moment("SINCE", since, now), _moment("UNTIL", until, now) if until else now)
        if span.since >= span.until:
            raise UsageError(
                f"SINCE={since} is not before UNTIL={until or 'now'}.", "SINCE=2h UNTIL=1h, for example."
            )
        return span

    @property
    def name(self) -> str:
        """The name of the objects that are written for it."""
        return f"rearchive-{self.since:%Y%m%dT%H%M%S}Z-{self.until:%Y%m%dT%H%M%S}Z"

    def __contains__(self, received_at: str) -> bool:
        return iso(self.since) <= received_at < iso(self.until)


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


def rehearse(resources: Resources, span: Span) -> Rearchived:
    """Count what `rearchive` would write, by the indexes alone."""
    done = Rearchived()
    for event_type in sorted(TYPES):
        done.lines[f"{EVENTS}/type={event_type}"] = sum(1 for _ in _event_ids(resources, span, event_type))
    for item in _rejected_items(resources, span):
        done.lines[f"{REJECTED}/kind={tables.text(item, 'kind')}"] += 1
    done.lines = +done.lines
    return done


def rearchive(resources: Resources, span: Span, progress: Callable[[int], None]) -> Rearchived:
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


def _event_ids(resources: Resources, span: Span, event_type: str) -> Iterator[str]:
    entries = newest_first(
        resources.client("dynamodb"),
        resources.table_name,
        BY_TYPE,
        buckets(event_type),
        since=iso(span.since),
        until=iso(span.until),
    )
    for entry in entries:
        if entry["received_at"]["S"] in span:
            yield entry["event_id"]["S"]


def _rejected_items(resources: Resources, span: Span) -> Iterator[Item]:
    # The index goes by when they were rejected, which is later than when they were received, by days perhaps.
    entries = newest_first(
        resources.client("dynamodb"),
        resources.rejected_table_name,
        rejections.NEWEST,
        buckets("rejected"),
        since=iso(span.since),
    )
    ids = (entry["message_id"]["S"] for entry in entries)
    items = tables.whole_items(resources.client("dynamodb"), resources.rejected_table_name, "message_id", ids)
    return (item for item in items if (tables.text(item, "received_at") or "") in span)


def _lines(resources: Resources, span: Span, done: Rearchived) -> Iterator[Line]:
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


def _moment(name: str, text: str, now: datetime) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    try:
        return now - timedelta(seconds=seconds_of(text))
    except UsageError:
        raise UsageError(
            f"{name}={text} is neither a time nor an age of less than a century.",
            f"For example {name}=2026-11-22T14:00 (UTC) or {name}=2h.",
        ) from None


def need_archive(resources: Resources) -> None:
    """Raises OpsError where the pipeline has no archive."""
    if not resources.archive_bucket:
        raise OpsError(
            "This pipeline has no archive.", "The Terraform variable archive brings it; make up applies it."
        )
