"""One invocation: from the stream records of a batch to the objects that hold them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from archiver import telemetry
from archiver.buckets import Buckets, Unavailable
from archiver.lines import EVENTS, REJECTED, UNREADABLE, Line, event_line, rejected_line, unreadable_line
from archiver.objects import Object, Objects

Record = Mapping[str, Any]


class Batch:
    """The records of one invocation.

    What a record holds never fails a batch: what cannot be read is archived as such. What S3 refuses does;
    Lambda then delivers the batch again, and the same records make the same objects under the same keys.
    """

    def __init__(self, events_table: str, rejected_table: str, buckets: Buckets) -> None:
        self._lines = {events_table: (EVENTS, event_line), rejected_table: (REJECTED, rejected_line)}
        self._buckets = buckets
        self.archived: Counter[str] = Counter()
        self.objects = 0
        self.bytes = 0

    def archive(self, records: Iterable[Record]) -> None:
        """Write what these records have inserted. Raises Unavailable when S3 does not take or give it."""
        # Updates only clear the mark of an alert that was owed, and removals are TTL's or a replay's.
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
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a record must not hold up the others
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
            self._buckets.put(made.key, made.data)
            self.objects += 1
            self.bytes += len(made.data)


def name_of(records: list[Record]) -> str:
    """The name of the objects of a batch: the same for the same records, and for no others."""
    numbers = [str((record.get("dynamodb") or {}).get("SequenceNumber", "0")) for record in records]
    ids = "\n".join(str(record.get("eventID")) for record in records)
    digest = hashlib.sha256(ids.encode("utf-8", "replace")).hexdigest()[:16]
    return f"{numbers[0]}-{numbers[-1]}-{digest}"


def _table(record: Record) -> str:
    """The name of the table that a record is about: arn:aws:dynamodb:region:account:table/NAME/stream/..."""
    parts = str(record.get("eventSourceARN")).split("/")
    return parts[1] if len(parts) > 1 else parts[0]
