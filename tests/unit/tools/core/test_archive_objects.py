"""Objects are split into lines wherever a chunk of them ends."""

from __future__ import annotations

import gzip
import random

import pytest

from storage import zstd
from tools.core import archive_objects

EVENT = b'"event":'


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64, 1000])
@pytest.mark.parametrize("pack", [gzip.compress, lambda data: zstd.compress(data, 1)], ids=["gzip", "zstd"])
def test_lines_are_those_of_the_text(monkeypatch: pytest.MonkeyPatch, chunk: int, pack: object) -> None:
    monkeypatch.setattr(archive_objects, "_CHUNK", chunk)
    monkeypatch.setattr(zstd, "_CHUNK", chunk)
    choice = random.Random(chunk)
    for _ in range(50):
        text = bytes(choice.choices(b'\n\nab,"', k=choice.randrange(200)))
        expected = text.split(b"\n") if not text.endswith(b"\n") else text[:-1].split(b"\n")
        assert list(archive_objects.lines(pack(text))) == (expected if text else [])  # type: ignore[operator]


@pytest.mark.parametrize("chunk", [1, 5, 100, 1000])
def test_a_cut_line_begins_as_the_whole_one_and_has_what_precedes_the_body(
    monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(zstd, "_CHUNK", chunk)
    whole = [b'{"n":1,"event":{"a":' + b"1" * 3000 + b"}}", b'{"event":{}}', b"", b'{"n":2}' * 100]
    cut = list(archive_objects.lines(zstd.compress(b"\n".join(whole), 1), EVENT))
    assert len(cut) == len(whole)
    for line, full in zip(cut, whole, strict=True):
        assert full.startswith(line)
        assert line.partition(EVENT)[:2] == full.partition(EVENT)[:2]
        assert len(line.partition(EVENT)[2]) >= min(5, len(full.partition(EVENT)[2]))
    if chunk == 1000:
        assert len(cut[0]) < 100


def test_a_line_that_is_too_long_is_refused_although_it_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_objects, "MAX_LINE_BYTES", 5000)
    monkeypatch.setattr(zstd, "_CHUNK", 1000)
    data = zstd.compress(b'{"event":{' + b"1" * 9000, 1)
    with pytest.raises(archive_objects.DamagedObject, match="bytes in a line"):
        list(archive_objects.lines(data, EVENT))
