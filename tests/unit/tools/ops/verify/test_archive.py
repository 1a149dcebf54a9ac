"""verify checks an archive with missing lines, extra lines and damaged objects."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.tools.fakes import FakeDynamoDB, FakeS3, pipeline
from tests.unit.tools.ops.factories import digest, duplicate, evaluate, rejected, snapshot, stored
from tools.core import archive_objects
from tools.ops.verify import archive, report
from tools.ops.verify.archive import ArchiveCheck, ArchiveComparison
from tools.ops.verify.snapshot import Snapshot

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
OLD, YOUNG = "2026-11-22T14:00:00.000Z", "2026-11-22T14:59:50.000Z"
HOUR = "dt=2026-11-22/hour=14"


def event(body: str, content: str | None = None) -> dict[str, Any]:
    return {"event_id": body, "content_hash": digest(content or body), "event": {"n": 1}}


def rejection(message_id: str, body: str) -> dict[str, Any]:
    return {"message_id": message_id, "content_hash": digest(body), "body": body}


def compressed(*lines: dict[str, Any]) -> bytes:
    return gzip.compress(b"".join(json.dumps(line).encode() + b"\n" for line in lines))


class Harness:
    """An archive bucket, an events table, and a clock that only sleeping moves."""

    def __init__(self) -> None:
        self.s3, self.dynamodb = FakeS3(), FakeDynamoDB()
        self.resources = pipeline(archive=True, s3=self.s3, dynamodb=self.dynamodb)
        self.seconds = 0.0
        self.later: dict[str, bytes] = {}

    def put(self, prefix: str, name: str, *lines: dict[str, Any]) -> None:
        self.s3.objects[f"{prefix}/{HOUR}/{name}.json.gz"] = compressed(*lines)

    def check(self, contents: Snapshot, wait: float = 0, *, everything: bool = True) -> ArchiveCheck:
        comparison = ArchiveComparison(self.resources, everything=everything)
        comparison.expect(contents)
        return comparison.compare(
            wait=wait,
            clock=lambda: self.seconds,
            sleep=self._sleep,
            now=lambda: NOW,
        )

    def _sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.s3.objects |= self.later


@pytest.fixture
def harness() -> Harness:
    return Harness()


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 100_000 + "]" * 100_000])
def test_an_archived_event_beyond_the_json_parsers_limits_is_counted(harness: Harness, value: str) -> None:
    line = json.dumps(event("e")).replace('"n": 1', f'"n": {value}').encode()
    harness.s3.objects[f"events/type=order/{HOUR}/a.json.gz"] = gzip.compress(line + b"\n")
    result = harness.check(snapshot(stored=[stored("m", "e", written_at=OLD)]))
    assert (result.events, result.discrepancies) == (1, [])


def test_stored_and_archived_items_have_no_discrepancies(harness: Harness) -> None:
    harness.put("events/type=order", "a", event("a"), event("b"))
    harness.put("rejected/kind=invalid_event", "a", rejection("m", "x"), rejection("gone", "y"))
    result = harness.check(
        snapshot(stored=[stored("1", "a"), stored("2", "b")], rejected=[rejected("m", "x")])
    )
    assert result == ArchiveCheck(events=2, rejected=2)


def test_an_old_item_that_is_not_archived_is_a_discrepancy(harness: Harness) -> None:
    result = harness.check(
        snapshot(stored=[stored("1", "a", written_at=OLD)], rejected=[rejected("m", "x", written_at=OLD)])
    )
    assert [(discrepancy.kind, discrepancy.name) for discrepancy in result.discrepancies] == [
        (archive.NOT_ARCHIVED, "a"),
        (archive.NOT_ARCHIVED, "m"),
    ]
    assert not result.on_its_way


def test_other_content_of_the_same_event_id_does_not_count_as_archived(harness: Harness) -> None:
    harness.put("events/type=order", "a", event("a", "other"))
    result = harness.check(snapshot(stored=[stored("1", "a", written_at=OLD)]))
    assert [discrepancy.name for discrepancy in result.discrepancies] == ["a"]


def test_a_young_item_that_is_not_archived_is_on_its_way(harness: Harness) -> None:
    result = harness.check(snapshot(stored=[stored("1", "a", written_at=YOUNG)]))
    assert [discrepancy.name for discrepancy in result.on_its_way] == ["a"]
    assert not result.discrepancies


def test_the_check_waits_for_items_on_their_way(harness: Harness) -> None:
    harness.later[f"events/type=order/{HOUR}/late.json.gz"] = compressed(event("a"))
    result = harness.check(snapshot(stored=[stored("1", "a", written_at=YOUNG)]), wait=10)
    assert not result.on_its_way
    assert harness.seconds < 10


def test_the_check_stops_waiting_at_its_deadline(harness: Harness) -> None:
    harness.check(snapshot(stored=[stored("1", "a", written_at=YOUNG)]), wait=10)
    assert 10 <= harness.seconds < 12


def test_duplicates_are_compared_with_their_lines(harness: Harness) -> None:
    harness.put("duplicates", "a", rejection("1", "a"), rejection("expired", "a"))
    copies = [replace(duplicate(number, "a"), written_at=OLD, received_at=OLD) for number in ("1", "2")]
    for everything in (True, False):
        result = harness.check(snapshot(duplicates=copies), everything=everything)
        assert result.duplicates == 1 + everything
        assert [(each.kind, each.name) for each in result.discrepancies] == [(archive.NOT_ARCHIVED, "2")]


def test_a_duplicate_from_before_its_table_had_a_stream_is_a_note(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = {"LatestStreamLabel": "2026-11-22T14:30:00.000"}
    monkeypatch.setattr(harness.dynamodb, "describe_table", lambda TableName: {"Table": table})  # noqa: N803
    contents = snapshot(stored=[stored("1", "a")], duplicates=[replace(duplicate("2", "a"), written_at=OLD)])
    harness.put("events/type=order", "a", event("a"))
    result = evaluate(contents, archived=harness.check(contents))
    assert result.ok
    report.show(result)
    assert "1 duplicate of release 1.0.0 without a line in the archive" in capsys.readouterr().out


def test_a_repeated_line_is_counted_and_not_a_discrepancy(harness: Harness) -> None:
    harness.put("events/type=order", "a", event("a"))
    harness.put("events/type=order", "rearchive-1", event("a"))
    result = harness.check(snapshot(stored=[stored("1", "a")]))
    assert (result.events, result.repeated, result.discrepancies) == (1, 1, [])


def test_an_unreadable_record_is_counted_and_not_missing(harness: Harness) -> None:
    image = {"event_id": {"S": "a"}}
    harness.put("unreadable", "a", {"table": "events", "event_id": "1", "error": "no", "image": image})
    result = harness.check(snapshot(stored=[stored("1", "a", content_hash="", written_at=OLD)]))
    assert (result.unreadable, result.discrepancies) == (1, [])


def test_an_archived_event_that_was_deleted_is_only_a_note(harness: Harness) -> None:
    harness.put("events/type=order", "a", event("a"), event("b"))
    # `b` was stored after the tables were read.
    harness.dynamodb.tables["events"]["b"] = {"event_id": {"S": "b"}, "content_hash": {"S": digest("b")}}
    result = harness.check(snapshot())
    assert [discrepancy.name for discrepancy in result.not_stored] == ["a"]
    assert not result.discrepancies


@pytest.mark.parametrize(
    "data",
    [b"", b"no gzip", compressed(event("a"))[:-9], gzip.compress(b"{}\n"), gzip.compress(b'{"event_id":\n')],
    ids=["empty", "no gzip", "cut", "no event", "no JSON"],
)
def test_a_damaged_object_is_a_discrepancy(harness: Harness, data: bytes) -> None:
    if not data:
        data = compressed({**event("a"), "event": "a string"})
    harness.s3.objects[f"events/type=order/{HOUR}/x.json.gz"] = data
    result = harness.check(snapshot())
    assert [discrepancy.kind for discrepancy in result.discrepancies] == [archive.DAMAGED]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"no JSON",
        b"[" * 5000,
        b'{"event_id":' + b"9" * 5000 + b',"event":{}}',
        b'{"event_id":["a"],"event":{}}',
    ],
)
def test_a_damaged_line_is_a_discrepancy_and_hides_no_other(harness: Harness, line: bytes) -> None:
    good = json.dumps(event("a")).encode()
    harness.s3.objects[f"events/type=order/{HOUR}/x.json.gz"] = gzip.compress(
        line + b"\n" + good + b"\n" + line
    )
    result = harness.check(snapshot(stored=[stored("m", "a", written_at=OLD)]))
    assert [each.kind for each in result.discrepancies] == [archive.DAMAGED]
    assert "line 1 cannot be read" in result.discrepancies[0].what
    assert result.events == 1


def test_an_object_is_unpacked_within_a_bound(harness: Harness) -> None:
    bomb = gzip.compress(b"x" * (archive_objects.MAX_LINE_BYTES + archive_objects._CHUNK + 1))
    harness.s3.objects[f"events/type=order/{HOUR}/x.json.gz"] = bomb
    (damaged,) = harness.check(snapshot()).discrepancies
    assert "bytes in a line" in damaged.what


def test_missing_archive_lines_violate_the_invariant_and_notes_do_not(
    harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    harness.put("events/type=order", "a", event("gone"), event("twice"), event("twice"))
    contents = snapshot(stored=[stored("1", "twice"), stored("2", "young", written_at=YOUNG)])
    result = evaluate(contents, archived=harness.check(contents))
    assert result.ok
    report.show(result)
    printed = capsys.readouterr().out
    for words in ("1 item not archived yet", "1 line more than once", "archived and not stored: gone"):
        assert words in printed
    assert report.document(result)["archive"]["on_its_way"] == 1
    late = snapshot(stored=[stored("2", "old", written_at=OLD)])
    assert not evaluate(late, archived=harness.check(late)).ok
