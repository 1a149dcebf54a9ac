"""DuckDB over the downloaded objects: read-only views ``events``, ``rejected`` and ``duplicates``."""

# Deferred: a function whose annotations hold types of DuckDB is reported as a leak when Python ends.
from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from archiver.objects import GZIP_SUFFIX, ZSTD_SUFFIX
from storage.columns import EVENTS
from tools.analytics.views import VIEWS, View
from tools.core.archive_objects import MAX_LINE_BYTES
from tools.core.archive_range import ArchiveRange
from tools.core.errors import ToolError, UsageError

_COMPRESSIONS = {ZSTD_SUFFIX: "zstd", GZIP_SUFFIX: "gzip"}
_BATCH_ROWS = 10_000
# The whole digits of an amount that the contract accepts. Release 1.0.0 accepted 34, whose sums can overflow.
MAX_DIGITS = 15
_ZONED = "TIMESTAMP WITH TIME ZONE"
_ATHENA_FUNCTIONS = Path(__file__).with_name("athena.sql").read_text("utf-8")
_LOCK = """
SET allowed_directories = [{directories}];
SET enable_external_access = false;
SET lock_configuration = true;
"""


@dataclass(frozen=True)
class QueryResult:
    """The rows of a query and the names of their columns. Amounts are Decimal, times are in UTC."""

    columns: Sequence[str]
    rows: Sequence[tuple[Any, ...]]


class Database:
    """The views over one directory of objects."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def query(self, sql: str, max_rows: int | None = None) -> QueryResult:
        """Run one SELECT. Return its rows, or the first ``max_rows``. Raises UsageError like `batches`."""
        columns: Sequence[str] = ()
        rows: list[tuple[Any, ...]] = []
        for batch in self.batches(sql, max_rows or _BATCH_ROWS):
            columns = batch.columns
            rows += batch.rows
            if len(rows) == max_rows:
                break
        return QueryResult(columns, rows)

    def batches(self, sql: str, size: int = _BATCH_ROWS) -> Iterator[QueryResult]:
        """Run one SELECT and yield ``size`` rows at a time: at least one batch, which may be empty.

        Raises UsageError, with the columns of the views as a hint, if DuckDB refuses the query.
        """
        try:
            statements = self._connection.extract_statements(sql)
            if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
                raise UsageError("A query must be one SELECT: the archive is read-only.", self.columns())
            cursor = self._execute(statements[0])
            columns = [name for name, *_ in cursor.description or ()]
            rows = cursor.fetchmany(size)
            yield QueryResult(columns, rows)
            while len(rows) == size:
                rows = cursor.fetchmany(size)
                yield QueryResult(columns, rows)
        except duckdb.Error as error:
            raise UsageError(f"DuckDB says: {str(error).strip()}", self.columns()) from None

    def too_large(self, limit: int) -> QueryResult:
        """Return up to ``limit`` events with a decimal of over `MAX_DIGITS` whole digits, all as text."""
        finds = [
            f"SELECT json_extract_scalar(head, '$.event_id') AS event_id, '{column.name}' AS name, "  # noqa: S608
            f"regexp_extract(head, '\"{column.name}\":(-?[0-9.eE+-]+)', 1) AS value FROM heads "
            f"WHERE regexp_matches(head, '\"{column.name}\":-?[0-9]{{{MAX_DIGITS + 1},}}')"
            for column in EVENTS
            if column.sql.startswith("decimal")
        ]
        heads = "SELECT substr(line, 1, strpos(line, ',\"event\":') - 1) || '}' AS head FROM events_lines"
        return self.query(f"WITH heads AS ({heads}) {' UNION ALL '.join(finds)} LIMIT {limit}")

    def _execute(self, statement: Any) -> Any:
        """Run a SELECT. Times with a zone become times in UTC, because DuckDB needs pytz to return them."""
        cursor = self._connection.execute(statement)
        columns = [(name, str(kind)) for name, kind, *_ in cursor.description or ()]
        if not any(_ZONED in kind for _, kind in columns):
            return cursor
        # Positional names, because a query may give two columns one name.
        casts = ", ".join(
            f"CAST(c{number} AS {kind.replace(_ZONED, 'TIMESTAMP')}) AS {_quoted(name, chr(34))}"
            for number, (name, kind) in enumerate(columns)
        )
        names = ", ".join(f"c{number}" for number in range(len(columns)))
        self._connection.execute(f"CREATE OR REPLACE TEMP VIEW zoned_result({names}) AS {statement.query}")
        return self._connection.execute(f"SELECT {casts} FROM zoned_result")  # noqa: S608

    def columns(self) -> str:
        """Return the columns of each view and their types, as a hint for the user."""
        lines = []
        for view in VIEWS:
            described = self._connection.execute(f"DESCRIBE {view}").fetchall()
            lines.append(f"{view}: {', '.join(f'{name} {kind.lower()}' for name, kind, *_ in described)}")
        return "\n".join(lines)


@contextmanager
def open_archive(directory: Path, selected: ArchiveRange | None = None) -> Iterator[Database]:
    """Open the objects below ``directory``, or a range of them, for queries that can read nothing else.

    Raises ToolError if an object is damaged.
    """
    with tempfile.TemporaryDirectory() as spill_directory:
        try:
            connection = connect(directory, selected)
            try:
                # DuckDB compares a pattern with this list before it looks for files.
                paths = (str(directory), _glob_escaped(str(directory)), spill_directory)
                allowed = ", ".join(map(_quoted, paths))
                connection.execute(f"SET temp_directory = {_quoted(spill_directory)}")
                connection.execute(_LOCK.format(directories=allowed))
                yield Database(connection)
            finally:
                connection.close()
        except duckdb.Error as error:
            raise ToolError(f"Cannot read the archive. DuckDB says: {str(error).strip()}") from None


def connect(directory: Path, selected: ArchiveRange | None = None) -> duckdb.DuckDBPyConnection:
    """Return a connection that has the views and is not locked, for programs that export the archive.

    Raises duckdb.Error.
    """
    connection = duckdb.connect()
    connection.execute(_ATHENA_FUNCTIONS)
    for view in VIEWS.values():
        connection.execute(_lines_view(directory, view, selected))
        connection.execute(f"CREATE VIEW {view.name} AS {view.sql()} {_time_condition(selected)}")
    return connection


def _lines_view(directory: Path, view: View, selected: ArchiveRange | None) -> str:
    """Return the view of raw lines. Lines are read as text, because DuckDB's JSON reader rounds numbers."""
    partitions = ", ".join(view.partitions)
    pattern = "/".join(["*"] * (len(view.partitions) + 1))
    types = ", ".join(f"{name}: VARCHAR" for name in view.partitions)
    condition = ""
    if selected is not None:
        first, last = selected.hours()
        # The condition on dt alone lets DuckDB skip whole directories.
        condition = (
            f" WHERE dt BETWEEN '{first[:10]}' AND '{last[:10]}' AND concat(dt, 'T', hour) "
            f"BETWEEN '{first}' AND '{last}'"
        )
    options = (
        "columns = {line: 'VARCHAR'}, auto_detect = false, header = false, delim = '\x01', quote = '', "
        f"escape = '', new_line = '\\n', max_line_size = {MAX_LINE_BYTES}, "
        f"hive_partitioning = true, hive_types = {{{types}}}"
    )
    # No part of this is user input: names from this package, a quoted path, and times.
    reads = [
        f"SELECT line, {partitions} FROM read_csv("  # noqa: S608
        f"{_quoted(f'{_glob_escaped(str(directory / view.name))}/{pattern}{suffix}')}, "
        # A path with a question mark hides the suffix from DuckDB.
        f"compression = '{compression}', {options}){condition}"
        for suffix, compression in _COMPRESSIONS.items()
        if next((directory / view.name).glob(f"{pattern}{suffix}"), None) is not None
    ]
    if not reads:
        columns = ", ".join(f"cast(NULL AS VARCHAR) AS {name}" for name in ("line", *view.partitions))
        reads = [f"SELECT {columns} WHERE false"]
    return f"CREATE VIEW {view.name}_lines AS {' UNION ALL '.join(reads)}"


def _time_condition(selected: ArchiveRange | None) -> str:
    if selected is None:
        return ""
    since, until = (f"TIMESTAMP '{time:%Y-%m-%d %H:%M:%S.%f}'" for time in (selected.since, selected.until))
    return f"AND received_at >= {since} AND received_at < {until}"


def _glob_escaped(path: str) -> str:
    return re.sub(r"[*?\[]", r"[\g<0>]", path)


def _quoted(text: str, mark: str = "'") -> str:
    return mark + text.replace(mark, mark * 2) + mark
