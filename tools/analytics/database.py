"""DuckDB over the fetched objects: the views `events` and `rejected`, and nothing else within reach."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from tools.analytics.report_range import ReportRange
from tools.core.errors import OpsError, UsageError

VIEWS = Path(__file__).parent / "views"
# What an object's path says of its lines, from the outside in.
PARTITIONS = {"events": ("type", "dt", "hour"), "rejected": ("kind", "dt", "hour")}
# A body of 1 MiB that is nothing but control characters has six times as many bytes as a JSON string.
_LONGEST_LINE = 16 * 1024 * 1024
_BATCH = 10_000
# Athena's functions that DuckDB calls otherwise. What is not JSON makes none of them fail, as in Athena.
_ATHENA = """
SET TimeZone = 'UTC';
CREATE MACRO json_extract_scalar(document, path) AS TRY(json_extract_string(document, path));
CREATE MACRO json_format(document) AS cast(document AS VARCHAR);
CREATE MACRO from_iso8601_timestamp(text) AS cast(text AS TIMESTAMPTZ);
"""
_LOCKED = """
SET allowed_directories = [{directories}];
SET enable_external_access = false;
SET lock_configuration = true;
"""


@dataclass(frozen=True)
class QueryResult:
    """The rows of a query, under the names of their columns. An amount is a Decimal, a time is in UTC."""

    columns: Sequence[str]
    rows: Sequence[tuple[Any, ...]]


class Database:
    """The views over one directory of objects."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def query(self, sql: str, most: int | None = None) -> QueryResult:
        """Run one SELECT; its rows, or the first so many. Raises UsageError as `batches` does."""
        columns: Sequence[str] = ()
        rows: list[tuple[Any, ...]] = []
        for batch in self.batches(sql, most or _BATCH):
            columns = batch.columns
            rows += batch.rows
            if len(rows) == most:
                break
        return QueryResult(columns, rows)

    def batches(self, sql: str, size: int = _BATCH) -> Iterator[QueryResult]:
        """Run one SELECT, and give its rows so many at a time; at least one batch, which may be empty.

        Raises UsageError, with the views and their columns, for what DuckDB refuses.
        """
        try:
            statements = self._connection.extract_statements(sql)
            if [one.type for one in statements] != [duckdb.StatementType.SELECT]:
                raise UsageError("A query is one SELECT: the archive is only read.", self.columns())
            found = self._connection.execute(statements[0])
            columns = [name for name, *_ in found.description or ()]
            rows = found.fetchmany(size)
            yield QueryResult(columns, rows)
            while len(rows) == size:
                rows = found.fetchmany(size)
                yield QueryResult(columns, rows)
        except duckdb.Error as error:
            raise UsageError(f"DuckDB says: {str(error).strip()}", self.columns()) from None

    def columns(self) -> str:
        """What can be asked for, for a person who has to know."""
        lines = []
        for view in PARTITIONS:
            described = self._connection.execute(f"DESCRIBE {view}").fetchall()
            lines.append(f"{view}: {', '.join(f'{name} {kind.lower()}' for name, kind, *_ in described)}")
        return "\n".join(lines)


@contextmanager
def open_archive(directory: Path, span: ReportRange | None = None) -> Iterator[Database]:
    """Lay the views over the objects below ``directory``, of all times or of a span of them.

    What runs in them can neither write nor read anything else. Raises OpsError for an object that is damaged.
    """
    with tempfile.TemporaryDirectory() as spill:
        try:
            connection = views(directory, span)
            try:
                allowed = ", ".join(_quoted(str(path)) for path in (directory, Path(spill)))
                connection.execute(f"SET temp_directory = {_quoted(spill)}")
                connection.execute(_LOCKED.format(directories=allowed))
                yield Database(connection)
            finally:
                connection.close()
        except duckdb.Error as error:
            raise OpsError(f"The archive cannot be read. DuckDB says: {str(error).strip()}") from None


def views(directory: Path, span: ReportRange | None = None) -> duckdb.DuckDBPyConnection:
    """The views in a database that nothing is locked in, for programs that write what they find.

    Raises duckdb.Error.
    """
    connection = duckdb.connect()
    connection.execute(_ATHENA)
    for view in PARTITIONS:
        connection.execute(_lines(directory, view, span))
        connection.execute(f"CREATE VIEW {view} AS {view_sql(view)} {_within(span)}")
    return connection


def view_sql(view: str) -> str:
    """The SELECT that a view is, in DuckDB and in Athena alike."""
    return (VIEWS / f"{view}.sql").read_text("utf-8")


def _lines(directory: Path, view: str, span: ReportRange | None) -> str:
    """The view of raw lines. As text: DuckDB's JSON reader would pass every number through a double."""
    partitions = PARTITIONS[view]
    named = ", ".join(partitions)
    if next((directory / view).glob("*/*/*/*.json.gz"), None) is None:
        typed = ", ".join(f"cast(NULL AS VARCHAR) AS {name}" for name in ("line", *partitions))
        return f"CREATE VIEW {view}_lines AS SELECT {typed} WHERE false"
    files = _quoted(f"{directory / view}/*/*/*/*.json.gz")
    types = ", ".join(f"{name}: VARCHAR" for name in partitions)
    where = ""
    if span is not None:
        first, last = span.hours()
        # Days by themselves, so that whole directories need not be opened.
        where = (
            f" WHERE dt BETWEEN '{first[:10]}' AND '{last[:10]}' AND concat(dt, 'T', hour) "
            f"BETWEEN '{first}' AND '{last}'"
        )
    reading = (
        f"{files}, columns = {{line: 'VARCHAR'}}, auto_detect = false, header = false, delim = '\x01', "
        f"quote = '', escape = '', new_line = '\\n', max_line_size = {_LONGEST_LINE}, "
        f"hive_partitioning = true, hive_types = {{{types}}}"
    )
    # Nothing of this is a person's words: names of ours, a path that is quoted, and times.
    return f"CREATE VIEW {view}_lines AS SELECT line, {named} FROM read_csv({reading}){where}"  # noqa: S608


def _within(span: ReportRange | None) -> str:
    if span is None:
        return ""
    since, until = (f"TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S.%f}'" for moment in (span.since, span.until))
    return f"AND received_at >= {since} AND received_at < {until}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
