"""A range of time, as SINCE= and UNTIL= give it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from storage.timestamps import iso_millis
from tools.core.errors import UsageError

# Further back than anything was ever logged, and still a date.
_LONGEST_SECONDS = 100 * 365 * 86400


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From a time on and up to another one, by when SQS took the message; UTC."""

    since: datetime
    until: datetime

    @classmethod
    def read(cls, since: str | None, until: str | None, now: datetime) -> TimeRange:
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
        return iso_millis(self.since) <= received_at < iso_millis(self.until)


def seconds_of(duration: str) -> int:
    """Read ``90s``, ``15m``, ``1h`` or ``2d``. Raises UsageError."""
    match = re.fullmatch(r"(\d+)([smhd])", duration)
    if match is None:
        raise UsageError(f"SINCE={duration} is not a duration.", "For example SINCE=90s, 15m, 1h or 2d.")
    seconds = int(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]
    if seconds > _LONGEST_SECONDS:
        raise UsageError(f"SINCE={duration} is more than a century.", "For example SINCE=90s, 15m, 1h or 2d.")
    return seconds


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
