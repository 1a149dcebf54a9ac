"""Files of this machine lose what they say about an erased event, and verify counts it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from producer.generate.messages import Message
from producer.manifest import Header, Manifest, read_messages, read_run
from tests.unit.tools.fakes import FakeS3, pipeline
from tools.ops.erase import local_files
from tools.ops.erase.local_files import ManifestLines, QueryCache, ReportPage
from tools.ops.erase.matching import Customer
from tools.ops.erase.search import Search
from tools.ops.erasures import without_erased

HEADER = Header("run", 1, "http://queue", "2026-11-26T00:00:00Z", {})


def manifest(state_dir: Path) -> Path:
    path = state_dir / "manifests" / "run.jsonl"
    with Manifest.create(path, HEADER) as opened:
        messages = [
            Message(number, [body], [body], 1, event_id, "order", "order", "stored", large_order=False)
            for number, (body, event_id) in enumerate([(b"a", "e-1"), (b"b", "e-2"), (b"c", "of-customer-1")])
        ]
        opened.record([(message, f"m-{message.number}") for message in messages])
        opened.complete(3, [])
    return path


def search(state_dir: Path) -> Search:
    return Search(pipeline(state_dir=state_dir), Customer("customer-1"), frozenset(), message_ids={"m-0"})


def test_a_line_keeps_its_message_id_and_its_place_and_nothing_else(tmp_path: Path) -> None:
    path = manifest(tmp_path)
    lines = ManifestLines(search(tmp_path))
    assert lines.find() == 1
    lines.erase()
    assert lines.find() == 0
    first, second, _ = read_messages(path)
    assert first == {
        "message_id": "m-0",
        "event_id": None,
        "event_type": None,
        "content_hash": "",
        "expect": "stored",
        "large_order": False,
        "index": 0,
    }
    assert second["event_id"] == "e-2"
    run = without_erased(read_run(path), frozenset({"m-0"}))
    assert ([message.message_id for message in run.messages], run.erased) == (["m-1", "m-2"], 1)


def test_a_manifest_that_a_producer_is_writing_is_left_and_reported(tmp_path: Path) -> None:
    path = manifest(tmp_path)
    before = path.read_bytes()
    found = search(tmp_path)
    lines = ManifestLines(found)
    lines.find()
    with Manifest.reopen(path):
        lines.erase()
    assert path.read_bytes() == before
    assert list(found.problems) == [f"{path}: a producer is writing it"]
    assert json.loads(before.splitlines()[1])["message_id"] == "m-0"


def test_cached_objects_with_lines_of_the_customer_are_removed(tmp_path: Path) -> None:
    resources = pipeline(state_dir=tmp_path, endpoint="http://127.0.0.1:1", archive=True, s3=FakeS3())
    hour = resources.query_cache / "archive" / "events" / "type=order" / "dt=2026-11-26" / "hour=10"
    hour.mkdir(parents=True)
    for name, customer in (("own", "customer-1"), ("other", "customer-10")):
        line = {
            "event_id": name,
            "customer_id": customer,
            "message_id": "m",
            "content_hash": "h",
            "event": {},
        }
        (hour / f"{name}.e.json.gz").write_bytes(gzip.compress(json.dumps(line).encode() + b"\n"))
    (hour / "cut.e.jsonl.zst.part").write_bytes(b"\x28\xb5\x2f\xfd cut")
    cache = QueryCache(Search(resources, Customer("customer-1"), frozenset()))
    assert cache.find() == 2
    cache.erase()
    assert [path.name for path in hour.iterdir()] == ["other.e.json.gz"]


@pytest.mark.parametrize(("cell", "found"), [("a&amp;b-customer", 1), ("a&amp;b-customer2", 0), ("", 0)])
def test_a_report_with_the_id_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cell: str, found: int
) -> None:
    page = tmp_path / "report.html"
    page.write_text(f"<td>{cell}</td>")
    monkeypatch.setattr(local_files, "REPORT_PAGE", page)
    report = ReportPage(Search(pipeline(), Customer("a&b-customer"), frozenset()))
    assert report.find() == found
    report.erase()
    assert page.exists() is not bool(found)
