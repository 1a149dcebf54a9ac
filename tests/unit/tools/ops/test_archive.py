"""What verify makes of an archive that lacks something, holds too much, or cannot be read."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.tools.ops.builders import digest, evidence, rejected, stored
from tests.unit.tools.ops.fakes import FakeDynamoDB, FakeS3, pipeline
from tools.ops.verify import archive, report, verify
from tools.ops.verify.archive import ArchiveCheck
from tools.ops.verify.snapshot import Snapshot

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
OLD, YOUNG = "2026-11-22T14:00:00.000Z", "2026-11-22T14:59:50.000Z"
HOUR = "dt=2026-11-22/hour=14"


def event(body: str, content: str | None = None) -> dict[str, Any]:
    return {"event_id": body, "content_hash": digest(content or body), "event": {"n": 1}}


def refusal(message_id: str, body: str) -> dict[str, Any]:
    return {"message_id": message_id, "content_hash": digest(body), "body": body}


def written(*lines: dict[str, Any]) -> bytes:
    return gzip.compress(b"".join(json.dumps(line).encode() + b"\n" for line in lines))


class Harness:
    """An archive bucket, an events table, and a clock that only sleeping moves."""

    def __init__(self) -> None:
        self.s3, self.dynamodb = FakeS3(), FakeDynamoDB()
        self.resources = pipeline(archive=True, s3=self.s3, dynamodb=self.dynamodb)
        self.seconds = 0.0
        self.later: dict[str, bytes] = {}

    def put(self, place: str, name: str, *lines: dict[str, Any]) -> None:
        self.s3.objects[f"{place}/{HOUR}/{name}.json.gz"] = written(*lines)

    def check(self, found: Snapshot, wait: float = 0) -> ArchiveCheck:
        return archive.check(
            self.resources, found, wait=wait, clock=lambda: self.seconds, sleep=self._sleep, now=lambda: NOW
        )

    def _sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.s3.objects |= self.later


@pytest.fixture
def harness() -> Harness:
    return Harness()


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 100_000 + "]" * 100_000])
def test_an_archived_event_that_this_python_could_not_parse_is_there_all_the_same(
    harness: Harness, value: str
) -> None:
    line = json.dumps(event("e")).replace('"n": 1', f'"n": {value}').encode()
    harness.s3.objects[f"events/type=order/{HOUR}/a.json.gz"] = gzip.compress(line + b"\n")
    found = harness.check(evidence(stored=[stored("m", "e", kept_at=OLD)]))
    assert (found.events, found.findings) == (1, [])


def test_what_is_stored_and_archived_is_fine(harness: Harness) -> None:
    harness.put("events/type=order", "a", event("a"), event("b"))
    harness.put("rejected/kind=invalid_event", "a", refusal("m", "x"), refusal("gone", "y"))
    found = harness.check(
        evidence(stored=[stored("1", "a"), stored("2", "b")], rejected=[rejected("m", "x")])
    )
    assert found == ArchiveCheck(events=2, rejected=2)


def test_what_was_stored_long_ago_and_is_not_archived_is_a_finding(harness: Harness) -> None:
    found = harness.check(
        evidence(stored=[stored("1", "a", kept_at=OLD)], rejected=[rejected("m", "x", kept_at=OLD)])
    )
    assert [(finding.kind, finding.name) for finding in found.findings] == [
        (archive.NOT_ARCHIVED, "a"),
        (archive.NOT_ARCHIVED, "m"),
    ]
    assert not found.on_its_way


def test_another_content_under_the_same_event_id_does_not_stand_for_it(harness: Harness) -> None:
    harness.put("events/type=order", "a", event("a", "other"))
    found = harness.check(evidence(stored=[stored("1", "a", kept_at=OLD)]))
    assert [finding.name for finding in found.findings] == ["a"]


def test_what_was_stored_just_now_is_on_its_way(harness: Harness) -> None:
    found = harness.check(evidence(stored=[stored("1", "a", kept_at=YOUNG)]))
    assert [finding.name for finding in found.on_its_way] == ["a"]
    assert not found.findings


def test_what_is_on_its_way_is_waited_for(harness: Harness) -> None:
    harness.later[f"events/type=order/{HOUR}/late.json.gz"] = written(event("a"))
    found = harness.check(evidence(stored=[stored("1", "a", kept_at=YOUNG)]), wait=10)
    assert not found.on_its_way
    assert harness.seconds < 10


def test_what_does_not_come_is_not_waited_for_for_ever(harness: Harness) -> None:
    harness.check(evidence(stored=[stored("1", "a", kept_at=YOUNG)]), wait=10)
    assert 10 <= harness.seconds < 12


def test_a_line_that_is_there_twice_is_counted_and_no_finding(harness: Harness) -> None:
    harness.put("events/type=order", "a", event("a"))
    harness.put("events/type=order", "rearchive-1", event("a"))
    found = harness.check(evidence(stored=[stored("1", "a")]))
    assert (found.events, found.repeated, found.findings) == (1, 1, [])


def test_what_is_unreadable_is_counted_and_not_missing(harness: Harness) -> None:
    image = {"event_id": {"S": "a"}}
    harness.put("unreadable", "a", {"table": "events", "event_id": "1", "error": "no", "image": image})
    found = harness.check(evidence(stored=[stored("1", "a", content_hash="", kept_at=OLD)]))
    assert (found.unreadable, found.findings) == (1, [])


def test_an_event_that_is_archived_and_gone_from_its_table_is_a_note(harness: Harness) -> None:
    harness.put("events/type=order", "a", event("a"), event("b"))
    # `b` was stored after the tables were read.
    harness.dynamodb.tables["events"]["b"] = {"event_id": {"S": "b"}, "content_hash": {"S": digest("b")}}
    found = harness.check(evidence())
    assert [finding.name for finding in found.not_stored] == ["a"]
    assert not found.findings


@pytest.mark.parametrize(
    "data",
    [b"", b"no gzip", written(event("a"))[:-9], gzip.compress(b"{}\n"), gzip.compress(b'{"event_id":\n')],
    ids=["empty", "no gzip", "cut", "no event", "no JSON"],
)
def test_an_object_that_cannot_be_read_is_a_finding(harness: Harness, data: bytes) -> None:
    if not data:
        data = written({**event("a"), "event": "a string"})
    harness.s3.objects[f"events/type=order/{HOUR}/x.json.gz"] = data
    found = harness.check(evidence())
    assert [finding.kind for finding in found.findings] == [archive.DAMAGED]


def test_findings_of_the_archive_break_the_law_and_notes_do_not(
    harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    harness.put("events/type=order", "a", event("gone"), event("twice"), event("twice"))
    found = evidence(stored=[stored("1", "twice"), stored("2", "young", kept_at=YOUNG)])
    verdict = verify.judge(found, archived=harness.check(found))
    assert verdict.holds
    report.show(verdict)
    printed = capsys.readouterr().out
    for words in ("1 item still on the way", "1 line more than once", "archived and not stored: gone"):
        assert words in printed
    assert json.loads(report.as_json(verdict))["archive"]["on_its_way"] == 1
    late = evidence(stored=[stored("2", "old", kept_at=OLD)])
    assert not verify.judge(late, archived=harness.check(late)).holds
