"""Parses RFC 3339 timestamps strictly, and writes them in one form.

``datetime.fromisoformat`` accepts more than RFC 3339: week dates, basic format, no offset.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

# From Python 3.14 on, datetime.fromisoformat accepts the hour 24.
_RFC3339 = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt]((?:[01]\d|2[0-3]):\d{2}):(\d{2})"
    r"(?:\.(\d+))?(?:[Zz]|([+-])(\d{2}):(\d{2}))",
    re.ASCII,
)


# More digits than any clock has; it bounds the work, and the memory of the cache.
_LONGEST = 64


def parse_rfc3339(text: str) -> datetime | None:
    """Parse an RFC 3339 timestamp (https://www.rfc-editor.org/rfc/rfc3339#section-5.6).

    Returns the time in UTC, truncated to microseconds, or None if the text is not such a timestamp, or longer
    than 64 characters. A leap second (``:60``) exists only where UTC is 23:59; it becomes the second after.
    """
    return _parse(text) if len(text) <= _LONGEST else None


@lru_cache(maxsize=64)  # each event's timestamp is needed three times
def _parse(text: str) -> datetime | None:
    match = _RFC3339.fullmatch(text)
    if match is None:
        return None
    date, minute, second, fraction, sign, hours, minutes = match.groups()
    if sign and (int(hours) > 23 or int(minutes) > 59):
        return None
    offset = f"{sign}{hours}:{minutes}" if sign else "+00:00"
    leap = second == "60"
    micros = (fraction or "")[:6].ljust(6, "0")
    try:
        local = datetime.fromisoformat(f"{date}T{minute}:{'59' if leap else second}.{micros}{offset}")
        moment = local.astimezone(UTC)
        if leap and (moment.hour, moment.minute) != (23, 59):
            return None
        return moment + timedelta(seconds=1) if leap else moment
    except (ValueError, OverflowError):
        return None


def fraction_digits(text: str) -> int:
    """Return the number of digits after the point of a valid timestamp's seconds."""
    match = _RFC3339.fullmatch(text)
    return len(match[4] or "") if match else 0


def normalize_rfc3339(text: str) -> str:
    """Return a valid timestamp in UTC as ``2026-11-22T14:03:07.250Z``, with at least 3 decimals.

    More decimals are kept as sent. The order of such texts is their order in time, to the millisecond.
    Raises ValueError if the text is not an RFC 3339 timestamp.
    """
    moment = parse_rfc3339(text)
    if moment is None:
        raise ValueError(f"not an RFC 3339 timestamp: {text[:40]!r}")
    if text[10] == "T" and text[17:19] != "60" and text[19] == "." and text[-1] == "Z" and len(text) > 23:
        return text
    match = _RFC3339.fullmatch(text)
    fraction = (match[4] or "") if match else ""
    return f"{moment.replace(microsecond=0, tzinfo=None).isoformat()}.{fraction.ljust(3, '0')}Z"
