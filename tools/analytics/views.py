"""Build the SQL of the views ``events``, ``rejected`` and ``duplicates`` from `storage.columns`.

DuckDB runs the text that is built here. Athena gets the same text from Terraform, which reads the files in
``views/``. ``make docs`` writes them. ``views.json`` has what the columns do not say.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from textwrap import fill

from storage.columns import COLUMNS, Column

DIRECTORY = Path(__file__).parent / "views"

_SQL = Template(Path(__file__).with_name("view.sql.template").read_text("utf-8"))


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
    partitions: Sequence[str]
    derived: Mapping[str, str]

    def sql(self) -> str:
        """Return the SELECT of the view, for DuckDB and for Athena."""
        columns = [
            column for column in COLUMNS[self.name] if column.queryable and column.name not in self.partitions
        ]
        values = {column.name: _column_sql(column) for column in columns} | dict(self.derived)
        return _SQL.substitute(
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


def _column_sql(column: Column) -> str:
    """Return the expression that reads a column from the head of a line."""
    text = f"json_extract_scalar(head, '$.{column.name}')"
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


_LISTED = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))
VIEWS = {name: View(name, **view) for name, view in _LISTED.items()}
