"""Events of a CloudWatch log group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_PAGE = 10_000  # FilterLogEvents' limit, and what MiniStack stops at without a next token


def events_since(logs: Any, group: str, start_millis: int, pattern: str = "") -> Iterator[dict[str, Any]]:
    """What FilterLogEvents gives of a log group from a time on, page by page, oldest first."""
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
            # MiniStack cuts off at a full page without a token: go on from the last millisecond, whole.
            last = events[-1]["timestamp"]
            whole = [event for event in events if event["timestamp"] < last]
            yield from whole or events
            request["startTime"] = last if whole else last + 1
