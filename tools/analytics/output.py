"""What a query found: as a table for people, as CSV or JSON for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from rich.table import Table

from tools.analytics.database import Database
from tools.core.console import out, plural, safe_text, write_raw

# A person's terminal is no place for a whole event of 200 KB.
_LONGEST_CELL = 200
_MOST_ROWS = 1000


def show(database: Database, sql: str, form: str) -> None:
    """Print what a query finds, in one of `FORMS`. Raises UsageError as `Database.batches` does."""
    FORMS[form](database, sql)


def text(value: Any) -> str:
    """A value for people: an amount without the zeros that nobody sent, a time to the second or better."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        whole, _, cents = f"{value:f}".partition(".")
        return f"{int(whole):,}.{cents.rstrip('0').ljust(2, '0')}" if cents else f"{int(whole):,}"
    if isinstance(value, datetime):
        return plain(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.12g}"
    if isinstance(value, list | dict):
        return _json(value)
    return str(value)


def plain(value: Any) -> str:
    """A value for programs: digits as they are, a time in RFC 3339 without a zone, which is UTC."""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="milliseconds" if value.microsecond else "seconds")
    if isinstance(value, list | dict):
        return _json(value)
    return "" if value is None else str(value)


def _table(database: Database, sql: str) -> None:
    answer = database.query(sql, most=_MOST_ROWS + 1)
    table = Table(header_style="bold")
    rows = answer.rows[:_MOST_ROWS]
    for place, name in enumerate(answer.columns):
        numbers = all(isinstance(row[place], int | float | Decimal | None) for row in rows)
        table.add_column(safe_text(name), justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(safe_text(_short(text(value))) for value in row))
    out.print(table, soft_wrap=False)
    if len(answer.rows) > _MOST_ROWS:
        out.print(f"The first {_MOST_ROWS:,} rows; there are more, FORMAT=csv prints them all.")
    else:
        out.print(f"{plural(len(answer.rows), 'row')}.")


def _short(cell: str) -> str:
    if len(cell) <= _LONGEST_CELL:
        return cell
    return f"{cell[:_LONGEST_CELL]}... ({len(cell):,} characters)"


def _csv(database: Database, sql: str) -> None:
    for number, batch in enumerate(database.batches(sql)):
        sheet = io.StringIO()
        writer = csv.writer(sheet, lineterminator="\n")
        if number == 0:
            writer.writerow(batch.columns)
        writer.writerows([plain(value) for value in row] for row in batch.rows)
        write_raw(sheet.getvalue().encode())


def _json_lines(database: Database, sql: str) -> None:
    for batch in database.batches(sql):
        names = [json.dumps(name, ensure_ascii=False) for name in batch.columns]
        for row in batch.rows:
            members = (f"{name}: {_json(value)}" for name, value in zip(names, row, strict=True))
            write_raw(f"{{{', '.join(members)}}}\n".encode())


def _json(value: Any) -> str:
    # A decimal stays the digits that it is: no float is made of it.
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, list):
        return f"[{', '.join(map(_json, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(str(name))}: {_json(one)}' for name, one in value.items())}}}"
    if value is None or isinstance(value, str | int | float):
        return json.dumps(value, ensure_ascii=False)
    return json.dumps(plain(value))


FORMS: Mapping[str, Callable[[Database, str], None]] = {"table": _table, "csv": _csv, "json": _json_lines}
