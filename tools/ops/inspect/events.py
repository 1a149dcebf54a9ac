"""`make events`: what was stored, newest first: of a customer, of a type, large orders, or all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from rich.text import Text

import contract
from storage.keys import shard_keys
from storage.timestamps import iso_millis
from tools.core import tables
from tools.core.console import out, plural, safe_text, write_raw
from tools.core.errors import UsageError
from tools.core.indexes import BY_CUSTOMER, BY_TYPE, LARGE_ORDERS, newest_first
from tools.core.resources import Resources
from tools.core.tables import Item

TYPES: tuple[str, ...] = tuple(contract.SCHEMA["properties"]["event_type"]["enum"])
# How entries are spread over partitions is nobody's business who reads them.
_NOT_SHOWN = {BY_TYPE.key, LARGE_ORDERS.key}
# Entries asked for at a time where some of them may be left out.
_FILTERED_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events to show; None and False leave it open."""

    customer: str | None = None
    event_type: str | None = None
    large: bool = False
    seconds: int | None = None

    def __post_init__(self) -> None:
        """Raises UsageError for a type that there is not, or that is never large."""
        if self.event_type is not None and self.event_type not in TYPES:
            raise UsageError(f"TYPE={self.event_type} is unknown.", f"TYPE is one of {', '.join(TYPES)}.")
        if self.large and self.event_type not in (None, "order"):
            raise UsageError(f"No {self.event_type} is large: only orders are.", "make events LARGE=1")


def find(resources: Resources, wanted: Wanted, limit: int, now: datetime) -> Iterator[Item]:
    """The summaries of the stored events that are wanted, newest first, by the index that fits best.

    ``limit`` is how many will be looked at; more can be had.
    """
    where: dict[str, dict[str, Any]] = {}
    if wanted.customer is not None:
        index, partitions = BY_CUSTOMER, [wanted.customer]
        if wanted.large:
            where["large_order"] = {"BOOL": True}
        elif wanted.event_type is not None:
            where["event_type"] = {"S": wanted.event_type}
    elif wanted.large:
        index, partitions = LARGE_ORDERS, shard_keys("large")
    else:
        types = [wanted.event_type] if wanted.event_type else TYPES
        index, partitions = BY_TYPE, [each for event_type in types for each in shard_keys(event_type)]
    since = iso_millis(now - timedelta(seconds=wanted.seconds)) if wanted.seconds is not None else ""
    return newest_first(
        resources.client("dynamodb"),
        resources.table_name,
        index,
        partitions,
        since=since,
        where=where,
        # Entries are spread evenly: most partitions will be asked once.
        page=_FILTERED_PAGE if where else 2 * limit // len(partitions) + 5,
    )


def show(resources: Resources, wanted: Wanted, *, limit: int, as_json: bool) -> None:
    """Print events for a person, or as JSON, one object a line."""
    found = list(islice(find(resources, wanted, limit, datetime.now(UTC)), limit + 1))
    listed = found[:limit]
    if as_json:
        for item in listed:
            write_raw(document(item))
        return
    if not listed:
        out.print("No such events are stored.")
        return
    rows = [_row(item) for item in listed]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        out.print(_line(row, widths))
    how_many = f"{plural(len(listed), 'event')}."
    if len(found) > limit:
        how_many = f"{limit:,} of the newest; there are more, LIMIT={5 * limit} shows them."
    out.print(f"\n{how_many} make get EVENT_ID=... shows one whole.")


def document(item: Item) -> bytes:
    """An event's summary as a line of JSON, numbers as they are stored."""
    fields = (
        f"{json.dumps(name)}: {tables.as_json(value)}"
        for name, value in sorted(item.items())
        if name not in _NOT_SHOWN
    )
    return b"{" + ", ".join(fields).encode() + b"}\n"


def _row(item: Item) -> tuple[str, ...]:
    amount = f"{item['amount']['N']} {tables.text(item, 'currency')}" if "amount" in item else ""
    latency = f"{tables.number(item, 'ingest_latency_ms')} ms"
    when = (tables.text(item, "received_at") or "").replace("T", " ").rstrip("Z")
    large = "large" if tables.flag(item, "large_order") else ""
    texts = (tables.text(item, "event_type"), tables.text(item, "customer_id"), tables.text(item, "event_id"))
    event_type, customer, event_id = (text or "-" for text in texts)
    return when, event_type, amount, large, latency, customer, event_id


def _line(row: tuple[str, ...], widths: list[int]) -> Text:
    when, event_type, amount, large, latency, customer, event_id = row
    columns = [
        safe_text(when, "bold"),
        safe_text(event_type.ljust(widths[1])),
        safe_text(amount.rjust(widths[2])),
        safe_text(large.ljust(widths[3]), "yellow"),
        safe_text(latency.rjust(widths[4]), "dim"),
        safe_text(customer.ljust(widths[5])),
        safe_text(event_id, "cyan"),
    ]
    shown_columns = [column for column, width in zip(columns, widths, strict=True) if width]
    return Text("  ").join(shown_columns)
