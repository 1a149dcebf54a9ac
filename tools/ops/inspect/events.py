"""`make events`: list stored events, newest first: all, of a customer, of a type, or large orders."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from rich.cells import cell_len

from contract import EVENT_TYPES
from storage import attributes, keys
from storage.attributes import flag, number, text
from storage.timestamps import iso_millis
from tools.core import tables
from tools.core.console import Clock, err, pad, plural, print_row, safe_text, write_raw
from tools.core.errors import UsageError, require_known
from tools.core.indexes import BY_CUSTOMER, BY_TYPE, LARGE_ORDERS, newest_first
from tools.core.resources import Resources
from tools.core.tables import Item
from tools.core.text import format_millis, strip_control_chars

# Partition keys of indexes are internal.
_NOT_SHOWN = {attributes.TYPE_SHARD, attributes.LARGE_ORDER_SHARD}
# The page size of queries with a filter.
_FILTERED_PAGE = 1000


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Criteria of the events to list. None and False match all events."""

    customer: str | None = None
    event_type: str | None = None
    large: bool = False
    seconds: int | None = None

    def __post_init__(self) -> None:
        """Raise UsageError for an unknown type, or a type that is never large."""
        require_known("TYPE", self.event_type, EVENT_TYPES)
        if self.large and self.event_type not in (None, "order"):
            raise UsageError(
                f"TYPE={self.event_type} is never large: only orders are.", "make events LARGE=1"
            )


def find(resources: Resources, criteria: EventFilter, limit: int, now: datetime) -> Iterator[Item]:
    """Yield the index entries of matching events, newest first, from the index that fits best.

    ``limit`` is the expected number of entries, which decides the page size. It does not end the iteration.
    """
    where: dict[str, dict[str, Any]] = {}
    if criteria.customer is not None:
        index, partitions = BY_CUSTOMER, [criteria.customer]
        if criteria.large:
            where["large_order"] = {"BOOL": True}
        elif criteria.event_type is not None:
            where["event_type"] = {"S": criteria.event_type}
    elif criteria.large:
        index, partitions = LARGE_ORDERS, keys.shard_keys(keys.LARGE_ORDERS)
    else:
        types = [criteria.event_type] if criteria.event_type else EVENT_TYPES
        index, partitions = BY_TYPE, [each for event_type in types for each in keys.shard_keys(event_type)]
    since = iso_millis(now - timedelta(seconds=criteria.seconds)) if criteria.seconds is not None else ""
    return newest_first(
        resources.client("dynamodb"),
        resources.table_name,
        index,
        partitions,
        since=since,
        where=where,
        # Entries are distributed evenly, so that most partitions are queried once.
        page=_FILTERED_PAGE if where else 2 * limit // len(partitions) + 5,
    )


def show(resources: Resources, criteria: EventFilter, *, limit: int, as_json: bool) -> None:
    """Print events as a table, or as JSON, one object a line."""
    items = list(islice(find(resources, criteria, limit, datetime.now(UTC)), limit + 1))
    listed = items[:limit]
    if as_json:
        for item in listed:
            write_raw(document(item))
    else:
        _print_rows(listed)
    if len(items) > limit:
        err.print(f"These are the newest {limit:,} events; there are more. Show more: LIMIT={5 * limit}")
    elif not listed:
        err.print("No stored event matches.")
    elif not as_json:
        err.print(f"{plural(len(listed), 'event')}. Show one completely: make get EVENT_ID=...")


def document(item: Item) -> bytes:
    """Return an index entry as a line of JSON. Numbers keep their digits."""
    fields = (
        f"{json.dumps(name)}: {tables.to_json(value)}"
        for name, value in sorted(item.items())
        if name not in _NOT_SHOWN
    )
    return b"{" + ", ".join(fields).encode("utf-8", "backslashreplace") + b"}\n"


def _print_rows(items: list[Item]) -> None:
    rows = [_row(item) for item in items]
    columns = [[cell_len(strip_control_chars(cell)) for cell in column] for column in zip(*rows, strict=True)]
    widths = [max(column) for column in columns]
    clock = Clock()
    for received, event_type, amount, large, latency, customer, event_id in rows:
        print_row(
            clock(received),
            pad(event_type, widths[1]),
            pad(amount, widths[2], right=True),
            safe_text(pad(large, widths[3]), "bold"),
            pad(latency, widths[4], right=True),
            pad(customer, widths[5]),
            event_id,
        )


def _row(item: Item) -> tuple[str, ...]:
    amount = item.get("amount", {}).get("N", "")
    amount = f"{amount} {text(item, 'currency') or ''}".strip()
    latency = format_millis(number(item, "ingest_latency_ms"))
    large = "large" if flag(item, "large_order") else ""
    names = ("event_type", "customer_id", "event_id")
    event_type, customer, event_id = (text(item, name) or "-" for name in names)
    return text(item, "received_at") or "", event_type, amount, large, latency, customer, event_id
