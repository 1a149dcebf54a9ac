"""Read the archive's items, one object at a time, in the order in which they were received."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from archiver.lines import DUPLICATES, UNREADABLE
from storage.attributes import EVENT_ID, text
from storage.sizes import Item
from tools.core import archive_objects
from tools.core.archive_objects import DamagedObject
from tools.core.archive_range import ArchiveRange
from tools.core.resources import Resources
from tools.ops.recover.archived_items import ArchivedItem, DamagedLine, read_line, read_unreadable
from tools.ops.share import WHOLE, Share

# Of a longer range, all objects are listed, a thousand with each request.
_LISTED_BY_PARTITION = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Selection:
    """What to restore: everything, or what was received in a range, of a customer, of a type, of an event.

    Of that, this machine restores its ``share``: all rows of an event are in one.
    """

    hours: ArchiveRange | None = None
    customer: str | None = None
    event_type: str | None = None
    event_id: str | None = None
    share: Share = WHOLE

    @property
    def is_by_event(self) -> bool:
        """Whether it depends on attributes of the event that a duplicate does not have."""
        return self.customer is not None or self.event_type is not None

    def accepts(self, archived: ArchivedItem) -> bool:
        """Return whether to restore an item, as far as it says so itself."""
        item = archived.item
        if self.share.of > 1 and not self.share.has(archived.event_name):
            return False
        if self.event_id is not None and text(item, EVENT_ID) != self.event_id:
            return False
        if self.hours is not None and not self._is_received_in(text(item, "received_at") or "", self.hours):
            return False
        # The event of a duplicate is looked up later.
        if not self.is_by_event or archived.kind == DUPLICATES:
            return True
        return self.accepts_event(item, archived.event.get("customer_id"))

    def accepts_event(self, item: Item, customer: Any = None) -> bool:
        """Return whether an event is of the customer and the type, or a rejected body is of that customer."""
        customer = text(item, "customer_id") or customer
        return self.customer in (None, customer) and self.event_type in (None, text(item, "event_type"))

    @staticmethod
    def _is_received_in(received_at: str, hours: ArchiveRange) -> bool:
        try:
            return hours.since <= datetime.fromisoformat(received_at).astimezone(UTC) < hours.until
        except (ValueError, OverflowError):
            return False


class ArchiveReader:
    """The objects of the archive, and their items. ``tables`` are the kinds of lines by a table's name."""

    def __init__(self, resources: Resources, tables: Mapping[str, str], retention_days: int) -> None:
        self._s3 = resources.client("s3")
        self._bucket = resources.archive_bucket
        self._tables = tables
        self._retention_days = retention_days

    def objects(self, kind: str, hours: ArchiveRange | None) -> Iterator[dict[str, Any]]:
        """Yield what S3 lists of a kind, such as ``events`` or ``unreadable``, in a range."""
        prefixes = [f"{kind}/"]
        if kind == UNREADABLE:
            hours = None  # its hours are those in which records were written
        if hours is not None and hours.until - hours.since <= _LISTED_BY_PARTITION:
            parents = [each for each in self._directories(f"{kind}/") if not each.startswith(f"{kind}/dt=")]
            prefixes = [f"{p}{hour}" for p in parents or prefixes for hour in hours.partitions()]
        for prefix in prefixes:
            for entry in archive_objects.listed(self._s3, self._bucket, prefix):
                if hours is None or hours.has_key(entry["Key"]):
                    yield entry

    def items(self, kind: str, key: str, problems: list[str]) -> Iterator[ArchivedItem]:
        """Yield the items of an object's lines. What cannot be read is added to ``problems``."""
        try:
            data = archive_objects.read(self._s3, self._bucket, key)
            for number, line in enumerate(archive_objects.lines(data), 1):
                try:
                    yield self._read(kind, line)
                except DamagedLine as error:
                    problems.append(f"{key}: line {number} cannot be read: {error}")
        except DamagedObject as error:
            problems.append(f"{key}: {error}")

    def _read(self, kind: str, line: bytes) -> ArchivedItem:
        if kind == UNREADABLE:
            return read_unreadable(line, self._tables)
        return read_line(kind, line, self._retention_days)

    def _directories(self, prefix: str) -> list[str]:
        listing = {"Bucket": self._bucket, "Prefix": prefix, "Delimiter": "/"}
        pages = self._s3.get_paginator("list_objects_v2").paginate(**listing)
        return [entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", ())]
