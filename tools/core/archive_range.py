"""The part of the archive that SINCE= and UNTIL= select, by the time when SQS received the message."""

from dataclasses import replace
from datetime import datetime, timedelta
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
_HOUR = timedelta(hours=1)


class ArchiveRange(TimeRange):
    """A range of the archive. One without an end is read beyond now."""

    @classmethod
    def read(cls, since: str | None, until: str | None, now: datetime) -> Self:
        """Read times, or ages such as ``2h``. Raises UsageError."""
        given = super().read(since, until, now)
        # SQS's clock may be ahead of this machine's.
        return given if until else replace(given, until=now + _CLOCK_SKEW)

    def partitions(self) -> list[str]:
        """Return the ends of the key prefixes that hold the range: its hours, or its days if it is long."""
        hour, hours = self.since.replace(minute=0, second=0, microsecond=0), []
        while hour < self.until:
            hours.append(hour)
            hour += _HOUR
        if len(hours) <= _MAX_LISTED_HOURS:
            return [f"dt={hour:%Y-%m-%d}/hour={hour:%H}/" for hour in hours]
        return sorted({f"dt={hour:%Y-%m-%d}/" for hour in hours})

    def hours(self) -> tuple[str, str]:
        """Return the first and the last hour that the range touches, as ``2026-11-22T14``."""
        return f"{self.since:%Y-%m-%dT%H}", f"{self.until - timedelta(microseconds=1):%Y-%m-%dT%H}"
