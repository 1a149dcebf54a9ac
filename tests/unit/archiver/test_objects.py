"""Objects hold their lines in order, and any reader of zstd or gzip takes them for one stream."""

from __future__ import annotations

import gzip
import random
import shutil
import string
import subprocess
from pathlib import Path

import pytest

from archiver import objects
from archiver.lines import Line, event_line
from archiver.objects import Object, Objects
from storage import zstd
from tests.unit.archiver.factories import order, stored
from tools.core import archive_objects


def line(size: int, seed: int = 0) -> Line:
    text = "".join(random.Random(seed).choices(string.ascii_letters, k=size))
    return event_line(stored(order(metadata=text)), lambda key: b"")


def text_of(made: Object) -> bytes:
    return b"".join(line + b"\n" for line in archive_objects.lines(made.data))


def test_lines_of_one_partition_are_one_object() -> None:
    lines = [line(100), line(60_000), line(40_000), line(100)]
    gathered = Objects("name")
    assert [made for each in lines for made in gathered.add(each)] == []
    (made,) = gathered.rest()
    assert made.key == "events/type=order/dt=2026-11-22/hour=14/name.jsonl.zst"
    assert made.content_type == "application/zstd"
    assert made.lines == 4
    assert text_of(made) == b"".join(each.text for each in lines)
    assert gathered.rest() == []


@pytest.mark.parametrize(("program", "has_zstd"), [("zstdcat", True), ("zcat", False)])
def test_programs_of_every_system_read_them(
    program: str, has_zstd: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    monkeypatch.setattr(zstd, "available", lambda: has_zstd)
    lines = [line(60_000, 1), line(10), line(60_000, 2)]
    gathered = Objects("name")
    for each in lines:
        gathered.add(each)
    (made,) = gathered.rest()
    file = tmp_path / made.key.rpartition("/")[2]
    file.write_bytes(made.data)
    read = subprocess.run([program, file], capture_output=True, check=True).stdout
    assert read == b"".join(each.text for each in lines)


def test_a_python_without_zstd_writes_gzip_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zstd, "available", lambda: False)
    gathered = Objects("name")
    gathered.add(line(10))
    (made,) = gathered.rest()
    assert made.key.endswith("/name.json.gz")
    assert made.content_type == "application/gzip"
    assert gzip.decompress(made.data) == text_of(made)


def test_what_is_too_much_for_memory_is_cut_into_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "_MAX_OPEN_BYTES", 2_000)
    lines = [line(500, seed) for seed in range(8)]
    gathered = Objects("name")
    made = [one for each in lines for one in gathered.add(each)] + gathered.rest()
    assert len(made) > 1
    assert len({one.key for one in made}) == len(made)
    assert b"".join(map(text_of, made)) == b"".join(each.text for each in lines)
