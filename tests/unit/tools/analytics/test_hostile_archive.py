"""Whatever lies in the archive, query and report write inside their cache, and say what they left out."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.tools.analytics.archive_files import event_line, object_key, rejected_line
from tests.unit.tools.analytics.fakes import FakeS3
from tests.unit.tools.fakes import pipeline
from tools.analytics import __main__ as command
from tools.analytics.archive import sync_archive
from tools.analytics.named_queries import named_queries
from tools.core import archive_objects
from tools.core.archive_objects import DamagedObject
from tools.core.resources import Resources

RANGE = {"SINCE": "2026-11-22T14:00", "UNTIL": "2026-11-22T15:00", "ARCHIVE_BUCKET": "archive"}
GOOD = event_line("{}", event_id="good", amount="1.5", currency="EUR", large_order=True)
OLD = event_line("{}", event_id="old", amount=f"{9 * 10**33}", currency="EUR", large_order=True)
HOSTILE_KEYS = [
    f"{object_key(name='x').removesuffix('x.json.gz')}{name}"
    for name in ("../../../../../escaped.json.gz", "..json.gz", "a/b.json.gz", "\x1b[2J.json.gz", ".json.gz")
] + ["events/type=order/dt=2026-11-22/hour=14/../x.json.gz"]
HOSTILE_LINES = [
    b"", b"no JSON", b"\xff\xfe", b"a\x01b", b"\x00", b"{}", b"[" * 5000, b'{"event_id":5,"event":{}}',
    b'{"event_id":"\\ud800","event":{}}', GOOD.replace("good", "bad-1").replace("2026", "20x6").encode(),
    event_line('{"method":' + "[" * 5000 + "]" * 5000 + "}", event_id="deep", event_type="payment").encode(),
    event_line('{"n":' + "9" * 5000 + "}", event_id="digits").encode(),
    GOOD.replace("good", "bad-2").replace("1500", '"soon"').replace("1.5", '"much"').encode(),
    GOOD.replace("good", "bad-3").replace("1.5", "9" * 500).encode(),
    rejected_line("\x00\x1b\u2028", message_id="m-9", reasons=["no", 5, {"rule": None}]).encode(),
]  # fmt: skip


def packed(*lines: bytes | str) -> bytes:
    encoded = [line.encode() if isinstance(line, str) else line for line in lines]
    return gzip.compress(b"".join(line + b"\n" for line in encoded))


@pytest.fixture
def s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeS3:
    fake = FakeS3()
    resources = pipeline(endpoint="http://127.0.0.1:1", state_dir=tmp_path / "state", s3=fake)

    def find(_: Mapping[str, str]) -> Resources:
        return replace(resources, archive_bucket="archive")

    monkeypatch.setattr(Resources, "find", find)
    return fake


def query(sql: str, **environment: str) -> int:
    return command.main(["query"], {**RANGE, "Q": sql, "FORMAT": "csv", **environment})


@pytest.mark.parametrize("key", HOSTILE_KEYS)
def test_a_key_that_the_archiver_does_not_write_is_refused(
    s3: FakeS3, tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    s3.objects = {object_key(name="a"): packed(GOOD), key: packed(GOOD)}
    assert query("select event_id from events") == 0
    printed = capsys.readouterr()
    assert printed.out.split() == ["event_id", "good"]
    assert "the archiver writes no such key" in printed.err
    assert "\x1b" not in printed.err
    assert s3.read_keys == [object_key(name="a")]
    assert not [name for _, _, names in os.walk(tmp_path) for name in names if "escaped" in name]


@pytest.mark.parametrize("etag", ['"../../x"', '"a/b"', '""'])
def test_an_etag_names_no_other_path(
    s3: FakeS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, etag: str
) -> None:
    s3.objects = {object_key(name="a"): packed(GOOD)}
    monkeypatch.setattr("tests.unit.tools.analytics.fakes._entry", lambda key, data: _entry(key, etag))
    with sync_archive(s3, "archive", tmp_path / "cache", None) as synced:
        assert (synced.objects, [key for key, _ in synced.refused]) == ((), [object_key(name="a")])


def _entry(key: str, etag: str) -> dict[str, object]:
    return {"Key": key, "ETag": etag, "Size": 1, "LastModified": None}


@pytest.mark.parametrize(
    "damaged",
    [
        lambda: b"",
        lambda: b"no gzip",
        lambda: packed(GOOD)[:-9],
        lambda: gzip.compress(b"\n" * (archive_objects.MAX_LINES + 1)),
        lambda: gzip.compress((b"x" * 999 + b"\n") * (archive_objects.MAX_OBJECT_BYTES // 1000 + 1), 1),
    ],
    ids=["empty", "no gzip", "cut", "lines", "bomb"],
)
def test_a_damaged_object_hides_no_other(
    s3: FakeS3, capsys: pytest.CaptureFixture[str], damaged: Callable[[], bytes]
) -> None:
    s3.objects = {object_key(name="a"): packed(GOOD), object_key(name="x"): damaged()}
    assert query("select event_id from events") == 0
    printed = capsys.readouterr()
    assert printed.out.split() == ["event_id", "good"]
    assert f"Not read completely: {object_key(name='x')}" in printed.err


def test_an_object_or_a_line_beyond_its_bound_is_read_no_further() -> None:
    line = gzip.compress(b"x" * (archive_objects.MAX_LINE_BYTES + archive_objects._CHUNK + 1))
    with pytest.raises(DamagedObject, match="bytes in a line"):
        list(archive_objects.lines(line))
    s3 = FakeS3()
    s3.objects["k"] = bytes(archive_objects.MAX_OBJECT_BYTES + 5)
    with pytest.raises(DamagedObject, match="more than"):
        archive_objects.read(s3, "archive", "k")


def test_no_line_ends_a_query_or_the_report(
    s3: FakeS3, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind in ("order", "payment", "activity", "invalid_event"):
        s3.objects[object_key(kind, name="x")] = packed(*HOSTILE_LINES, OLD)
    s3.objects[object_key(name="a")] = packed(GOOD)
    assert command.main(["report"], {**RANGE, "OUT": str(tmp_path / "r.html")}) == 0
    for named in named_queries():
        assert command.main(["query"], {**RANGE, "NAME": named.name, "FORMAT": "json"}) == 0, named.name
    assert query("select * from events where event_id in ('good', 'deep', 'digits')") == 0
    assert "3 lines cannot be read" in capsys.readouterr().err


def test_amounts_beyond_the_contract_are_named(s3: FakeS3, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [OLD.replace('"old"', f'"old-{number}"') for number in range(30)]
    s3.objects = {object_key(): packed(GOOD, *lines)}
    assert command.main(["query"], {**RANGE, "NAME": "revenue_per_hour", "FORMAT": "json"}) == 0
    printed = capsys.readouterr()
    revenues = [json.loads(line)["revenue"] for line in printed.out.splitlines()]
    assert (len(revenues), min(revenues)) == (31, 1.5)
    assert f"The amount of event old-7 is {9 * 10**33}" in printed.err
    assert "More events have over 15 digits" in printed.err


def test_a_query_that_overflows_names_the_events(s3: FakeS3, capsys: pytest.CaptureFixture[str]) -> None:
    s3.objects = {object_key(): packed(GOOD, *(OLD.replace('"old"', f'"old-{n}"') for n in range(30)))}
    assert query("select sum(amount) from events") == 2
    assert "The amount of event old-7 is" in capsys.readouterr().err
    assert query("select count(*) from rejected") == 0
    assert "old" not in capsys.readouterr().err
