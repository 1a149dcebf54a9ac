"""The views are built from the table of columns."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from storage.columns import COLUMNS, EVENTS, Column
from tests.unit.tools.analytics.archive_files import event_line, object_key, write_object
from tools.analytics.database import open_archive


@pytest.mark.parametrize(
    ("column", "archived", "expected"),
    [
        (Column("coupon", "S", "varchar"), "SUMMER", "SUMMER"),
        (Column("points", "N", "bigint"), 7, 7),
        (Column("tax", "N", "decimal(10,2)"), 0.25, Decimal("0.25")),
        (Column("gift", "BOOL", "boolean", default="false"), None, False),
    ],
    ids=lambda value: value.name if isinstance(value, Column) else "",
)
def test_a_new_column_of_the_table_can_be_queried(
    column: Column, archived: object, expected: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(COLUMNS, "events", (*EVENTS, column))
    write_object(tmp_path, object_key(), event_line("{}", **{column.name: archived}))
    with open_archive(tmp_path) as database:
        assert database.query(f"select {column.name} from events").rows == [(expected,)]
