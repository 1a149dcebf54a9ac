"""Build the SQL of the views ``events``, ``rejected`` and ``duplicates`` from `storage.columns`.

DuckDB runs the text that is built here. Athena gets the same text from Terraform, which reads the files in
``views/``. ``make docs`` writes them.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill

from storage.columns import COLUMNS, Column

DIRECTORY = Path(__file__).parent / "views"

_SQL = """\
-- Generated from lambda_src/storage/columns.json by make docs. Do not edit.
-- A line can be archived twice, always in the same partition. Copies are searched within a partition, so that
-- an engine can skip the other partitions.
-- The archiver writes the columns compactly, before the body if there is one. Decimals are cut out as text,
-- because a JSON reader would round them. A value that is not of its type is NULL, so that no line ends a
-- query.
SELECT
  {names}
FROM (
  SELECT *, row_number() OVER (PARTITION BY {partitions}, {key} ORDER BY {order}) AS copy
  FROM (
    SELECT
      {values},
      {partitions}
    FROM (
      SELECT
        {head} AS head,
        line, {partitions}
      FROM {view}_lines
    )
  )
)
WHERE copy = 1 AND {key} IS NOT NULL
"""


@dataclass(frozen=True)
class View:
    """A view: the key and the time that tell copies apart, and the columns beside those of `COLUMNS`.

    ``body`` is the last member of a line if it holds the message. ``partitions`` are the parts of an object's
    path, from the outside in.
    """

    name: str
    key: str
    order: str
    body: str | None
    partitions: tuple[str, ...]
    derived: Mapping[str, str]

    def sql(self) -> str:
        """Return the SELECT of the view, for DuckDB and for Athena."""
        columns = [
            column for column in COLUMNS[self.name] if column.queryable and column.name not in self.partitions
        ]
        values = {column.name: column_sql(column) for column in columns} | dict(self.derived)
        return _SQL.format(
            view=self.name,
            key=self.key,
            order=self.order,
            head=f"concat(substr(line, 1, strpos(line, ',\"{self.body}\":') - 1), '}}')"
            if self.body
            else "line",
            partitions=", ".join(self.partitions),
            names=fill(", ".join([*values, *self.partitions]), 110, subsequent_indent="  "),
            values=",\n      ".join(f"{value} AS {name}" for name, value in values.items()),
        )


def column_sql(column: Column, document: str = "head", path: str = "") -> str:
    """Return the expression that reads a column from the head of a line, or from ``path`` of a document."""
    text = f"json_extract_scalar({document}, '$.{path or column.name}')"
    if column.type == "L":
        value = f"TRY(json_format(json_extract(head, '$.{column.name}')))"
    elif column.sql == "varchar":
        value = text
    elif column.sql.startswith("timestamp"):
        value = f"TRY(cast(from_iso8601_timestamp({text}) AT TIME ZONE 'UTC' AS {column.sql}))"
    elif column.sql.startswith("decimal"):
        digits = f"""regexp_extract(head, '"{column.name}":(-?[0-9.]+)', 1)"""
        value = f"TRY(cast(nullif({digits}, '') AS {column.sql}))"
    else:
        value = f"TRY(cast({text} AS {column.sql}))"
    return value if column.default is None else f"coalesce({value}, {column.default})"


VIEWS = {
    view.name: view
    for view in (
        View(
            name="events",
            key="event_id",
            order="processed_at",
            body="event",
            partitions=("type", "dt", "hour"),
            derived={
                "event": "substr(line, strpos(line, ',\"event\":') + 9, "
                "length(line) - strpos(line, ',\"event\":') - 9)"
            },
        ),
        View(
            name="rejected",
            key="message_id",
            order="rejected_at",
            body="body",
            partitions=("kind", "dt", "hour"),
            derived={
                "rules": 'array_distinct(regexp_extract_all(head, \'"rule":"([^"]*)"\', 1))',
                "body": "json_extract_scalar(line, '$.body')",
            },
        ),
        View(
            name="duplicates",
            key="message_id",
            order="recorded_at",
            body=None,
            partitions=("dt", "hour"),
            derived={},
        ),
    )
}


def main() -> None:
    """Write the views for Terraform."""
    for view in VIEWS.values():
        (DIRECTORY / f"{view.name}.sql").write_text(view.sql(), "utf-8")
        sys.stdout.write(f"wrote tools/analytics/views/{view.name}.sql\n")


if __name__ == "__main__":
    main()
