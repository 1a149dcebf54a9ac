"""The lines of docs/consumers.md that read the archive read zstd and gzip, and lose no event."""

from __future__ import annotations

import gzip
import importlib
import re
from pathlib import Path
from typing import Any

import pytest

from archiver.lines import event_line
from archiver.objects import _compressed
from tests.unit.archiver import factories
from tools.core.paths import ROOT

PAGE = (ROOT / "docs" / "consumers.md").read_text("utf-8")


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The event_ids of an archive in the working directory: two objects, of zstd and of gzip."""
    names = [f"{number:03}" for number in range(200)]
    late: list[dict[str, Any]] = [{"late": {"a": 1}} if name > "150" else {} for name in names]
    bodies = [factories.order(event_id=name, **more) for name, more in zip(names, late, strict=True)]
    lines = [event_line(factories.stored(body), lambda _: b"").text for body in bodies]
    hour = tmp_path / "events" / "type=order" / "dt=2026-11-22" / "hour=14"
    hour.mkdir(parents=True)
    (hour / "a.jsonl.zst").write_bytes(_compressed(lines[:190]))
    (hour / "b.json.gz").write_bytes(gzip.compress(b"".join(lines[190:])))
    monkeypatch.chdir(tmp_path)
    return names


def line_of(reader: str) -> str:
    """The line of the page for a reader."""
    (found,) = re.findall(rf"^\| {reader} \| `(.*?)`", PAGE, re.MULTILINE)
    return str(found)


def installed(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        pytest.skip(f"{name} is not installed")


def test_duckdb_reads_every_event(names: list[str]) -> None:
    rows = installed("duckdb").sql(line_of("DuckDB")).fetchall()
    assert sorted(name for name, *_ in rows) == names
    assert sum("late" in event for _, _, event, *_ in rows) == 49


def test_polars_reads_every_event(names: list[str]) -> None:
    frame = eval(line_of("polars"), {"polars": installed("polars")})
    assert sorted(frame["event_id"]) == names
    assert sum("late" in event for event in frame["event"]) == 49


def test_pandas_reads_an_object_of_each_format(names: list[str]) -> None:
    pandas = installed("pandas")
    installed("zstandard")
    frames = [eval(line_of("pandas"), {"pandas": pandas, "path": path}) for path in Path().rglob("*.*")]
    assert sorted(name for frame in frames for name in frame["event_id"]) == names
