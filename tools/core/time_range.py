"""Time ranges and durations, as SINCE= and UNTIL= give them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from storage.timestamps import iso_millis
from tools.core.errors import UsageError

# Longer durations could exceed the range of datetime.
_LONGEST_SECONDS = 100 * 365 * 86400
_EXAMPLES = "Examples: SINCE=90s, SINCE=15m, SINCE=1h, SINCE=2d"


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A range of the times at which SQS received messages, in UTC. ``until`` is not included."""

    since: datetime
    until: datetime

    @classmethod
    def read(cls, since: str | None, until: str | None, now: datetime) -> Self:
        """Parse two times, or ages such as ``2h``. ``until`` defaults to now. Raises UsageError."""
        if not since:
            raise UsageError(
                "SINCE is missing.", "make rearchive SINCE=2h, or SINCE=2026-11-22T14:00 UNTIL=..."
            )
        parsed = cls(_moment("SINCE", since, now), _moment("UNTIL", until, now) if until else now)
        if parsed.since >= parsed.until:
            raise UsageError(
                f"SINCE={since} is not before UNTIL={until or 'now'}.", "Example: SINCE=2h UNTIL=1h"
            )
        return parsed

    @property
    def name(self) -> str:
        """Return the name of the archive objects that a rearchive of this range writes."""
        return f"rearchive-{self.since:%Y%m%dT%H%M%S}Z-{self.until:%Y%m%dT%H%M%S}Z"

    def __contains__(self, received_at: str) -> bool:
        return iso_millis(self.since) <= received_at < iso_millis(self.until)


def parse_duration(text: str) -> int:
    """Return the seconds of ``90s``, ``15m``, ``1h`` or ``2d``. Raises UsageError."""
    match = re.fullmatch(r"([0-9]{1,12})([smhd])", text)
    if match is None:
        raise UsageError(f"SINCE={text} is not a duration.", _EXAMPLES)
    seconds = int(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]
    if seconds > _LONGEST_SECONDS:
        raise UsageError(f"SINCE={text} is more than a century.", _EXAMPLES)
    return seconds


def _moment(name: str, text: str, now: datetime) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    try:
        return now - timedelta(seconds=parse_duration(text))
    except UsageError:
        raise UsageError(
            f"{name}={text} is neither a time nor an age of less than a century.",
            f"Examples: {name}=2026-11-22T14:00 (UTC), {name}=2h",
        ) from None
