"""The queryable columns of events and rejected events: one table for items, archive lines, views and Glue.

``columns.json`` is the table; Terraform reads it too. A column with ``event`` is a field of the event and is
copied from it; the others are computed by the processor. ``default`` is the value of a missing column in SQL.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, NamedTuple


class Column(NamedTuple):
    """A column: its name, its type in DynamoDB (S, N, BOOL, L) and in SQL, and where its value comes from."""

    name: str
    type: str
    sql: str
    required: bool = False
    event: bool = False
    partition: bool = False
    default: str | None = None


def _read() -> dict[str, tuple[Column, ...]]:
    tables: dict[str, list[dict[str, Any]]] = json.loads(
        files("storage").joinpath("columns.json").read_text("utf-8")
    )
    return {table: tuple(Column(**column) for column in columns) for table, columns in tables.items()}


COLUMNS = _read()
EVENTS = COLUMNS["events"]
REJECTED = COLUMNS["rejected"]
# Fields of the event that its item repeats, so that events can be found and summed up by them.
EVENT_FIELDS = tuple(column for column in EVENTS if column.event)
