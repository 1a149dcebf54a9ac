"""Objects hold their lines in order, and any reader of gzip takes them for one stream."""

from __future__ import annotations

import gzip
import random
import string
import subprocess
from pathlib import Path

import pytest

from archiver import objects
from archiver.lines import Line, event_line
from archiver.objects import Objects
from tests.unit.archiver.factories import order, stored


def line(size: int, seed: int = 0) -> Line:
    text = "".join(random.Random(seed).choices(string.ascii_letters, k=size))
    return event_line(stored(order(metadata=text)), lambda key: b"")


def test_lines_of_one_partition_are_one_object() -> None:
    lines = [line(100), line(60_000), line(40_000), line(100)]
    gathered = Objects("name")
    assert [made for each in lines for made in gathered.add(each)] == []
    (made,) = gathered.rest()
    assert made.key == "events/type=order/dt=2026-11-22/hour=14/name.json.gz"
    assert made.lines == 4
    assert gzip.decompress(made.data) == b"".join(each.text for each in lines)
    assert gathered.rest() == []


def test_zcat_reads_them(tmp_path: Path) -> None:
    lines = [line(60_000, 1), line(10), line(60_000, 2)]
    gathered = Objects("name")
    for each in lines:
        gathered.add(each)
    (made,) = gathered.rest()
    (tmp_path / "made.gz").write_bytes(made.data)
    read = subprocess.run(["zcat", tmp_path / "made.gz"], capture_output=True, check=True).stdout
    assert read == b"".join(each.text for each in lines)


def test_what_is_too_much_for_memory_is_cut_into_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "_MAX_OPEN_BYTES", 2_000)
    lines = [line(500, seed) for seed in range(8)]
    gathered = Objects("name")
    made = [one for each in lines for one in gathered.add(each)] + gathered.rest()
    assert len(made) > 1
    assert len({one.key for one in made}) == len(made)
    assert b"".join(gzip.decompress(one.data) for one in made) == b"".join(each.text for each in lines)
