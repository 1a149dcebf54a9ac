"""One invocation: stream records become lines, and lines become objects of the archive."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from archiver.buckets import Buckets, Unavailable
from archiver.lines import (
    DUPLICATES,
    EVENTS,
    REJECTED,
    UNREADABLE,
    Line,
    duplicate_line,
    event_line,
    rejected_line,
    unreadable_line,
)
from archiver.objects import Object, Objects
from common import telemetry

Record = Mapping[str, Any]


class Batch:
    """The records of one invocation.

    A record never fails its batch: one that cannot be read is archived under ``unreadable/``. An error of S3
    does. Lambda then delivers the batch again, and the same records make the same objects and keys.
    """

    def __init__(
        self, events_table: str, rejected_table: str, duplicates_table: str, buckets: Buckets
    ) -> None:
        self._lines = {
            events_table: (EVENTS, event_line),
            rejected_table: (REJECTED, rejected_line),
            duplicates_table: (DUPLICATES, duplicate_line),
        }
        self._buckets = buckets
        self.archived: Counter[str] = Counter()
        self.objects = 0
        self.bytes = 0

    def archive(self, records: Iterable[Record]) -> None:
        """Write the items that these records inserted. Raises Unavailable if S3 fails."""
        # Updates only clear pending flags; removals come from TTL or a replay.
        inserted = [record for record in records if record.get("eventName") == "INSERT"]
        if not inserted:
            return
        objects = Objects(name_of(inserted))
        for record in inserted:
            self._put(objects.add(self._line(record)))
        self._put(objects.rest())

    def _line(self, record: Record) -> Line:
        table = _table(record)
        try:
            place, make = self._lines[table]
            line = make(record["dynamodb"]["NewImage"], self._buckets.payload)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - a bad record must not fail the others
            why = f"{type(error).__name__}: {error}"[:500]
            telemetry.log(
                "WARNING", "record unreadable", table=table, stream_event_id=record.get("eventID"), why=why
            )
            self.archived[UNREADABLE] += 1
            return unreadable_line(table, record, why)
        self.archived[place] += 1
        return line

    def _put(self, objects: list[Object]) -> None:
        for made in objects:
            self._buckets.put(made)
            self.objects += 1
            self.bytes += len(made.data)


def name_of(records: list[Record]) -> str:
    """Return the name of a batch's objects: the same for the same records, and for no others."""
    numbers = [str((record.get("dynamodb") or {}).get("SequenceNumber", "0")) for record in records]
    ids = "\n".join(str(record.get("eventID")) for record in records)
    digest = hashlib.sha256(ids.encode("utf-8", "replace")).hexdigest()[:16]
    return f"{numbers[0]}-{numbers[-1]}-{digest}"


def _table(record: Record) -> str:
    """Return the table of a record, from arn:aws:dynamodb:region:account:table/NAME/stream/..."""
    parts = str(record.get("eventSourceARN")).split("/")
    return parts[1] if len(parts) > 1 else parts[0]
