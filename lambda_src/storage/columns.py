"""What events, rejected events and duplicates have: one table for items, archive lines, views and Glue.

``columns.json`` is the table; Terraform reads it too. A column with ``event`` is a field of the event and is
copied from it; the others are computed by the processor. ``default`` is the value of a missing column in SQL.

A column with ``view`` false is an attribute of the item that its line repeats, so that the item can be
restored from it. A column with ``item`` false is made by the archiver:

``line_version``      the version of the line's format; lines of before have none
``other_attributes``  further attributes of the item, as the text of an object in DynamoDB's JSON
``body_base64``       the body byte for byte, if the text at the end of the line is not
"""

import json
from importlib.resources import files
from typing import Any, NamedTuple


class Column(NamedTuple):
    """A column: its name, its type in DynamoDB and, if views have it, in SQL, and where its value comes from.

    A list (type L) has strings, or objects that have at least ``members``.
    """

    name: str
    type: str
    sql: str = ""
    required: bool = False
    event: bool = False
    partition: bool = False
    default: str | None = None
    item: bool = True
    view: bool = True
    members: tuple[str, ...] = ()

    @property
    def queryable(self) -> bool:
        """Whether the views have the column."""
        return self.item and self.view


def _read() -> dict[str, tuple[Column, ...]]:
    tables: dict[str, list[dict[str, Any]]] = json.loads(
        files("storage").joinpath("columns.json").read_text("utf-8")
    )
    return {
        table: tuple(Column(**{**row, "members": tuple(row.get("members", ()))}) for row in rows)
        for table, rows in tables.items()
    }


# 2 repeats the whole item. Lines of before have only the queryable columns and the body.
LINE_VERSION = 2

COLUMNS = _read()
EVENTS = COLUMNS["events"]
REJECTED = COLUMNS["rejected"]
DUPLICATES = COLUMNS["duplicates"]
# Fields of the event that its item repeats, so that events can be found and summed up by them.
EVENT_FIELDS = tuple(column for column in EVENTS if column.event)
