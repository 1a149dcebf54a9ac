"""Parses RFC 3339 timestamps strictly.

``datetime.fromisoformat`` accepts more than RFC 3339: week dates, basic format, no offset.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_RFC3339 = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])(\d{2}):(\d{2}))", re.ASCII
)


def parse_rfc3339(text: str) -> datetime | None:
    """Parse an RFC 3339 timestamp (https://www.rfc-editor.org/rfc/rfc3339#section-5.6).

    Returns an aware datetime, truncated to microseconds, or None if the text is not such a timestamp.
    A leap second (``:60``) becomes the second after it.
    """
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
        moment = datetime.fromisoformat(f"{date}T{minute}:{'59' if leap else second}.{micros}{offset}")
        return moment + timedelta(seconds=1) if leap else moment
    except (ValueError, OverflowError):
        return None
