"""The part of the archive that SINCE= and UNTIL= select, by the time when SQS received the message."""

import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Self

import contract
from archiver.lines import DUPLICATES, EVENTS, REJECTED
from storage.attributes import REJECTION_KINDS
from tools.core.time_range import TimeRange

# Of all keys but those of unreadable records. Partitions by hour follow.
PREFIXES = (
    *(f"{EVENTS}/type={name}/" for name in contract.EVENT_TYPES),
    *(f"{REJECTED}/kind={name}/" for name in REJECTION_KINDS),
    f"{DUPLICATES}/",
)
_CLOCK_SKEW = timedelta(minutes=5)
# Up to this many hours are listed one by one; a longer range is listed by day.
_MAX_LISTED_HOURS = 48
# Of a longer range everything is listed, a thousand objects with each request.
_MAX_LISTED_DAYS = 366
_PARTITION = re.compile(r"/dt=([0-9-]{10})/hour=([0-9]{2})/")


class ArchiveRange(TimeRange):
    """A range of the archive. One without an end is read beyond now."""

    @classmethod
    def read(cls, since: str | None, until: str | None, now: datetime) -> Self:
        """Read times, or ages such as ``2h``. Raises UsageError."""
        given = super().read(since, until, now)
        # SQS's clock may be ahead of this machine's.
        return given if until else replace(given, until=now + _CLOCK_SKEW)

    def partitions(self) -> list[str]:
        """Return the ends of the key prefixes that hold the range: its hours, its days, or all for years."""
        hour = self.since.replace(minute=0, second=0, microsecond=0)
        hours = -((hour - self.until) // timedelta(hours=1))
        if hours <= _MAX_LISTED_HOURS:
            starts = (hour + timedelta(hours=n) for n in range(hours))
            return [f"dt={start:%Y-%m-%d}/hour={start:%H}/" for start in starts]
        first, last = hour.toordinal(), (self.until - timedelta(microseconds=1)).toordinal()
        if last - first > _MAX_LISTED_DAYS:
            return [""]
        return [f"dt={date.fromordinal(day)}/" for day in range(first, last + 1)]

    def hours(self) -> tuple[str, str]:
        """Return the first and the last hour that the range touches, as ``2026-11-22T14``."""
        last = self.until - timedelta(microseconds=1)
        return self.since.isoformat(timespec="hours")[:13], last.isoformat(timespec="hours")[:13]

    def has_key(self, key: str) -> bool:
        """Return whether the partition of a key is in the range, or its key names none."""
        partition = _PARTITION.search(key)
        first, last = self.hours()
        return partition is None or first <= f"{partition[1]}T{partition[2]}" <= last
