"""Which part of the archive is meant: SINCE= and UNTIL=, by when SQS took the event."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tools.core.time_range import TimeRange

_AHEAD = timedelta(minutes=5)
# Up to so many hours they are listed one by one, and a longer span by its days.
_HOURS_LISTED = 48


@dataclass(frozen=True)
class ReportRange:
    """From ``since`` to before ``until``, in UTC; at a span's end lies what is not there yet."""

    since: datetime
    until: datetime

    @classmethod
    def of(cls, since: str, until: str | None, now: datetime) -> ReportRange:
        """Read times, or ages such as ``2h``, as make rearchive does. Raises UsageError."""
        read = TimeRange.read(since, until, now)
        # Clocks differ: what SQS took a moment ago may seem to lie ahead.
        return cls(read.since, read.until if until else now + _AHEAD)

    def partitions(self) -> list[str]:
        """Ends of key prefixes that hold the whole span: of its hours, or of its days if it is long."""
        hours = list(self._steps(self.since.replace(minute=0, second=0, microsecond=0), timedelta(hours=1)))
        if len(hours) <= _HOURS_LISTED:
            return [f"dt={hour:%Y-%m-%d}/hour={hour:%H}/" for hour in hours]
        return sorted({f"dt={hour:%Y-%m-%d}/" for hour in hours})

    def hours(self) -> tuple[str, str]:
        """The first and the last hour that it touches, as ``2026-11-22T14``."""
        return f"{self.since:%Y-%m-%dT%H}", f"{self.until - timedelta(microseconds=1):%Y-%m-%dT%H}"

    def _steps(self, start: datetime, step: timedelta) -> Iterator[datetime]:
        while start < self.until:
            yield start
            start += step
