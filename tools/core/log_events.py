"""Read the events of a CloudWatch log group."""

from collections.abc import Iterator
from typing import Any

# The limit of FilterLogEvents. MiniStack returns this many events without a next token.
_PAGE = 10_000


def events_since(logs: Any, group: str, start_millis: int, pattern: str = "") -> Iterator[dict[str, Any]]:
    """Yield the events of a log group since a time, oldest first."""
    request: dict[str, Any] = {"logGroupName": group, "startTime": start_millis, "limit": _PAGE}
    if pattern:
        request["filterPattern"] = pattern
    while True:
        page = logs.filter_log_events(**request)
        events = page.get("events", [])
        if page.get("nextToken"):
            yield from events
            request["nextToken"] = page["nextToken"]
        elif len(events) < _PAGE:
            yield from events
            return
        else:
            # MiniStack returns a full page without a token: continue from the last millisecond.
            last = events[-1]["timestamp"]
            complete = [event for event in events if event["timestamp"] < last]
            yield from complete or events
            request["startTime"] = last if complete else last + 1
