"""Print the rows of a query: as a table for people, as CSV or JSON lines for programs."""

import csv
import io
import json
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from rich.table import Table

from tools.analytics.database import Database
from tools.core.console import err, out, plural, safe_text, write_raw

# Cells can hold whole events of 200 KB.
_MAX_CELL = 200
_MAX_ROWS = 1000
_FORMULAS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def print_rows(database: Database, sql: str, output_format: str, *, raw: bool = False) -> None:
    """Print the rows of a query in one of `FORMATS`. Raises UsageError like `Database.batches`.

    ``raw`` leaves cells of CSV as they are that a spreadsheet would run as formulas.
    """
    FORMATS[output_format](database, sql, raw)


def display_text(value: Any) -> str:
    """Return a value for people, with thousands separators and without padding zeros."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        whole, _, cents = f"{value:f}".partition(".")
        return f"{int(whole):,}.{cents.rstrip('0').ljust(2, '0')}" if cents else f"{int(whole):,}"
    if isinstance(value, datetime):
        return raw_text(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.12g}"
    if isinstance(value, list | tuple | dict):
        return _json(value)
    return str(value)


def raw_text(value: Any) -> str:
    """Return a value for programs: numbers with all digits, times in UTC without a zone."""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="milliseconds" if value.microsecond else "seconds")
    if isinstance(value, list | tuple | dict):
        return _json(value)
    return "" if value is None else str(value)


def _print_table(database: Database, sql: str, _raw: bool) -> None:
    result = database.query(sql, max_rows=_MAX_ROWS + 1)
    table = Table(header_style="bold")
    rows = result.rows[:_MAX_ROWS]
    for index, name in enumerate(result.columns):
        numeric = all(isinstance(row[index], int | float | Decimal | None) for row in rows)
        table.add_column(safe_text(name), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(safe_text(_shorten(display_text(value))) for value in row))
    out.print(table, soft_wrap=False)
    if len(result.rows) > _MAX_ROWS:
        err.print(f"These are the first {_MAX_ROWS:,} rows; there are more. FORMAT=csv prints all of them.")
    else:
        err.print(f"{plural(len(result.rows), 'row')}.")


def _shorten(cell: str) -> str:
    if len(cell) <= _MAX_CELL:
        return cell
    return f"{cell[:_MAX_CELL]}... ({len(cell):,} characters)"


def _print_csv(database: Database, sql: str, raw: bool) -> None:
    for number, batch in enumerate(database.batches(sql)):
        rows = [[_csv_cell(value, raw) for value in row] for row in batch.rows]
        header = [[_csv_cell(name, raw) for name in batch.columns]] if number == 0 else []
        write_raw("".join(map(_csv_row, header + rows)).encode())


def _csv_row(cells: list[str]) -> str:
    # Before Python 3.13 the csv module quotes a bare CR only if it is part of the line's end.
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue().removesuffix("\r\n") + "\n"


def _csv_cell(value: Any, raw: bool) -> str:
    """Return a cell. Text that a spreadsheet would run as a formula starts with an apostrophe."""
    text = raw_text(value)
    is_text = not isinstance(value, int | float | Decimal)
    return f"'{text}" if is_text and not raw and text.startswith(_FORMULAS) else text


def _print_json_lines(database: Database, sql: str, _raw: bool) -> None:
    for batch in database.batches(sql):
        names = [json.dumps(name, ensure_ascii=False) for name in batch.columns]
        for row in batch.rows:
            members = (f"{name}: {_json(value)}" for name, value in zip(names, row, strict=True))
            write_raw(f"{{{', '.join(members)}}}\n".encode())


def _json(value: Any) -> str:
    # The json module would need a float, which rounds a Decimal.
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, float) and not math.isfinite(value):
        # JSON has no number for it.
        return "null"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_json, value))}]"
    if isinstance(value, dict):
        members = (f"{json.dumps(str(name))}: {_json(member)}" for name, member in value.items())
        return f"{{{', '.join(members)}}}"
    if value is None or isinstance(value, str | int | float):
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(raw_text(value))


FORMATS: Mapping[str, Callable[[Database, str, bool], None]] = {
    "table": _print_table,
    "csv": _print_csv,
    "json": _print_json_lines,
}
