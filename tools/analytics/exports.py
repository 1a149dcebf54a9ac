"""Write the SQL that compares exports of the tables with the archive, for more rows than a machine reads.

DynamoDB's export to S3 has a line of JSON for each item (DynamoDB developer guide, "DynamoDB table export
output format"). It is read as text, as the archive's lines are. ``make docs`` writes `PATH`, which Athena
and DuckDB run over the archive's views and a table of lines for each export.
"""

from __future__ import annotations

import sys
from pathlib import Path

from storage.columns import COLUMNS
from tools.analytics.views import VIEWS, column_sql

PATH = Path(__file__).parent / "exports.sql"

_COMPARED = ("event_id", "message_id", "content_hash", "stored_content_hash")

_HEAD = """\
-- Generated from lambda_src/storage/columns.json by make docs. Do not edit.
-- Compares exports of the three tables, all of one time, with the archive. Each row is a finding; no row
-- means that nothing is lost and nothing is counted twice. docs/reliability.md says how to run it.
WITH exported(exported_at) AS (
  SELECT TIMESTAMP '2026-01-01 00:00:00' -- replace it by the time of the exports, in UTC
),
"""
_EXPORT = """\
{table}_export AS (
  SELECT
    {columns}
  FROM {table}_export_lines
),
"""
_MESSAGES = """\
messages AS (
  {messages}
)
"""
_NOT_ARCHIVED = """\
SELECT 'not archived' AS finding, '{table}' AS table_name, stored.{key} AS name
FROM {table}_export stored
LEFT JOIN {table} archived
  ON archived.{key} = stored.{key} AND archived.content_hash = stored.content_hash
WHERE archived.{key} IS NULL
UNION ALL
"""
_REST = """\
-- Rejected events and duplicates expire, so the archive may have more of them.
SELECT 'archived and not stored', 'events', archived.event_id
FROM events archived
LEFT JOIN events_export stored
  ON stored.event_id = archived.event_id AND stored.content_hash = archived.content_hash
WHERE stored.event_id IS NULL AND archived.processed_at < (SELECT exported_at FROM exported)
UNION ALL
SELECT 'dangling', 'duplicates', duplicate.message_id
FROM duplicates_export duplicate
LEFT JOIN events_export stored
  ON stored.event_id = duplicate.event_id AND stored.content_hash = duplicate.stored_content_hash
WHERE stored.event_id IS NULL
UNION ALL
SELECT 'doubled', max(table_name), message_id
FROM messages
GROUP BY message_id, content_hash
HAVING count(*) > 1
"""


def sql() -> str:
    """Return one SELECT, whose rows are the findings."""
    exports = []
    for table in VIEWS:
        columns = {column.name: column for column in COLUMNS[table] if column.name in _COMPARED}
        selected = ",\n    ".join(
            f"{column_sql(column, 'line', f'Item.{name}.{column.type}')} AS {name}"
            for name, column in columns.items()
        )
        exports.append(_EXPORT.format(table=table, columns=selected))
    messages = "\n  UNION ALL ".join(
        f"SELECT '{table}' AS table_name, message_id, content_hash FROM {table}_export"  # noqa: S608
        for table in VIEWS
    )
    findings = (_NOT_ARCHIVED.format(table=view.name, key=view.key) for view in VIEWS.values())
    return f"{_HEAD}{''.join(exports)}{_MESSAGES.format(messages=messages)}{''.join(findings)}{_REST}"


def main() -> None:
    """Write the file."""
    PATH.write_text(sql(), "utf-8")
    sys.stdout.write("wrote tools/analytics/exports.sql\n")


if __name__ == "__main__":
    main()
