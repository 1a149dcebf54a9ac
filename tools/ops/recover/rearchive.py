"""`make rearchive`: write the items of a time range to the archive again, after a failure of the archiver.

It adds objects and deletes none. Rows that were archived before then have two lines, of which queries use
one. The same time range gives the same object names, so that a second run overwrites the first.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from archiver.lines import (
    DUPLICATES,
    EVENTS,
    REJECTED,
    Fetch,
    Line,
    duplicate_line,
    event_line,
    rejected_line,
)
from archiver.objects import Object, Objects
from contract import EVENT_TYPES
from storage import keys
from storage.attributes import EVENT_ID, MESSAGE_ID, text
from storage.timestamps import iso_millis
from tools.core import queues, tables
from tools.core.indexes import BY_TYPE, NEWEST_REJECTED, newest_first
from tools.core.resources import Resources
from tools.core.tables import Item
from tools.core.time_range import TimeRange
from tools.ops.payloads import fetcher

# Refused items with a reason in the result; the others are only counted.
_LISTED = 20
# Messages that are read from the failures queue.
_MAX_FAILURES = 100


@dataclass
class RearchiveResult:
    """The lines written, by partition, and the objects and bytes.

    ``refused`` has the reasons why items could not be converted to a line, for the first 20 items.
    """

    lines: Counter[str] = field(default_factory=Counter)
    objects: int = 0
    bytes: int = 0
    refused_count: int = 0
    refused: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FailedBatch:
    """A batch of stream records that Lambda stopped retrying. The times are those of its records."""

    table: str
    records: int
    since: str
    until: str
    reason: str


def dry_run(resources: Resources, time_range: TimeRange) -> RearchiveResult:
    """Count the lines that `rearchive` would write, of events and rejected events from the indexes."""
    result = RearchiveResult()
    for event_type in EVENT_TYPES:
        result.lines[f"{EVENTS}/type={event_type}"] = sum(
            1 for _ in _event_ids(resources, time_range, event_type)
        )
    for item in _rejected_items(resources, time_range):
        result.lines[f"{REJECTED}/kind={text(item, 'kind')}"] += 1
    result.lines[DUPLICATES] = sum(1 for _ in _duplicate_items(resources, time_range))
    result.lines = +result.lines
    return result


def rearchive(
    resources: Resources, time_range: TimeRange, progress: Callable[[int], None]
) -> RearchiveResult:
    """Write the lines of all items that were received in a time range. ``progress`` gets their number.

    Holds 25 items and 32 MB of lines in memory. Raises botocore's errors.
    """
    result = RearchiveResult()
    objects = Objects(time_range.name)
    for line in _lines(resources, time_range, result):
        _write(resources, result, objects.add(line))
        result.lines[line.partition.partition("/dt=")[0]] += 1
        progress(result.lines.total())
    _write(resources, result, objects.rest())
    return result


def failed_batches(resources: Resources) -> list[FailedBatch]:
    """Return up to 100 batches of the failures queue. The messages are released again."""
    return [
        _failed_batch(body)
        for body in queues.read_bodies(resources, resources.archive_failures_queue_url, _MAX_FAILURES)
    ]


def _event_ids(resources: Resources, time_range: TimeRange, event_type: str) -> Iterator[str]:
    entries = newest_first(
        resources.client("dynamodb"),
        resources.table_name,
        BY_TYPE,
        keys.shard_keys(event_type),
        since=iso_millis(time_range.since),
        until=iso_millis(time_range.until),
    )
    for entry in entries:
        if entry["received_at"]["S"] in time_range:
            yield entry[EVENT_ID]["S"]


def _rejected_items(resources: Resources, time_range: TimeRange) -> Iterator[Item]:
    # The index is sorted by the time of rejection, which may be days after the message was received.
    entries = newest_first(
        resources.client("dynamodb"),
        resources.rejected_table_name,
        NEWEST_REJECTED,
        keys.shard_keys(keys.REJECTED),
        since=iso_millis(time_range.since),
    )
    ids = (entry[MESSAGE_ID]["S"] for entry in entries)
    items = tables.get_items(resources.client("dynamodb"), resources.rejected_table_name, MESSAGE_ID, ids)
    return (item for item in items if (text(item, "received_at") or "") in time_range)


def _duplicate_items(resources: Resources, time_range: TimeRange) -> Iterator[Item]:
    # They have no index by time. A scan reads all of them, eight with a read unit.
    values = {":since": {"S": iso_millis(time_range.since)}, ":until": {"S": iso_millis(time_range.until)}}
    where: dict[str, Any] = {
        "FilterExpression": "received_at BETWEEN :since AND :until",
        "ExpressionAttributeValues": values,
    }
    for page in tables.pages(resources.client("dynamodb"), resources.duplicates_table_name, **where):
        yield from (item for item in page if (text(item, "received_at") or "") in time_range)


def _lines(resources: Resources, time_range: TimeRange, result: RearchiveResult) -> Iterator[Line]:
    fetch = fetcher(resources)
    for event_type in EVENT_TYPES:
        ids = _event_ids(resources, time_range, event_type)
        for item in tables.get_items(resources.client("dynamodb"), resources.table_name, EVENT_ID, ids):
            yield from _line(item, EVENT_ID, event_line, fetch, result)
    for item in _rejected_items(resources, time_range):
        yield from _line(item, MESSAGE_ID, rejected_line, fetch, result)
    for item in _duplicate_items(resources, time_range):
        yield from _line(item, MESSAGE_ID, duplicate_line, fetch, result)


def _line(
    item: Item, key: str, convert: Callable[[Item, Fetch], Line], fetch: Fetch, result: RearchiveResult
) -> list[Line]:
    try:
        return [convert(item, fetch)]
    except (BotoCoreError, ClientError):
        raise
    except Exception as error:  # noqa: BLE001 - an item written by hand must not end the command
        result.refused_count += 1
        if len(result.refused) < _LISTED:
            result.refused[item[key]["S"]] = str(error)[:500]
        return []


def _write(resources: Resources, result: RearchiveResult, objects: list[Object]) -> None:
    for each in objects:
        resources.client("s3").put_object(
            Bucket=resources.archive_bucket, Key=each.key, Body=each.data, ContentType=each.content_type
        )
        result.objects += 1
        result.bytes += len(each.data)


def _failed_batch(body: str) -> FailedBatch:
    """Read a failure message (Lambda developer guide, "Configuring a destination for failed invocations")."""
    try:
        message = json.loads(body)
        batch, context = message.get("DDBStreamBatchInfo") or {}, message.get("requestContext") or {}
        stream = str(batch.get("streamArn", "")).split("/")
        return FailedBatch(
            table=stream[1] if len(stream) > 1 else "?",
            records=int(batch.get("batchSize") or 0),
            since=str(batch.get("approximateArrivalOfFirstRecord", "?")),
            until=str(batch.get("approximateArrivalOfLastRecord", "?")),
            reason=str(context.get("condition", "?")),
        )
    except (AttributeError, RecursionError, TypeError, ValueError):
        return FailedBatch("?", 0, "?", "?", "Lambda did not write this message")
