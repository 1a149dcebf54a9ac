from __future__ import annotations

import json
import os
from fractions import Fraction
from pathlib import Path

import pytest

from producer.errors import ProducerError
from producer.generate.events import SEEDED_START, Events, RunSpec
from producer.generate.plan import Ratios
from producer.manifest import Header, Manifest, read_header, read_messages, read_run
from tests.unit.producer.factories import message, read_completion

HEADER = Header("run-1", 7, "http://sqs/0/q", "2026-11-23T12:00:00+00:00", {"count": 3})


def write_manifest(path: Path, *message_ids: str, complete: bool = False) -> Path:
    with Manifest.create(path, HEADER) as manifest:
        manifest.record([(message(number), each) for number, each in enumerate(message_ids)])
        if complete:
            manifest.complete(len(message_ids), ["event-9"])
    return path


def test_reading_returns_what_was_written(tmp_path: Path) -> None:
    path = write_manifest(tmp_path / "new" / "m.jsonl", "a", "b", complete=True)
    assert read_header(path) == HEADER
    assert [line["message_id"] for line in read_messages(path)] == ["a", "b"]
    completion = read_completion(path)
    assert completion is not None
    assert (completion["sent"], completion["failed"]) == (2, ["event-9"])


def test_the_line_of_a_message_has_its_expected_result(tmp_path: Path) -> None:
    sent = message(5)
    with Manifest.create(tmp_path / "m", HEADER) as manifest:
        manifest.record([(sent, "id-5")])
    assert list(read_messages(tmp_path / "m")) == [
        {
            "message_id": "id-5",
            "event_id": "event-5",
            "event_type": "activity",
            "content_hash": sent.content_hash,
            "expect": "stored",
            "large_order": False,
            "index": 5,
        }
    ]


def test_the_line_of_every_kind_of_message_is_json(tmp_path: Path) -> None:
    events = Events(RunSpec(7, SEEDED_START, ratios=Ratios(*[Fraction(1, 4)] * 3)))
    sent = [events.message(number) for number in range(400)]
    with Manifest.create(tmp_path / "m", HEADER) as manifest:
        manifest.record([(each, str(each.number)) for each in sent])
    lines = list(read_messages(tmp_path / "m"))
    assert [line["event_id"] for line in lines] == [each.event_id for each in sent]
    assert [line["content_hash"] for line in lines] == [each.content_hash for each in sent]
    assert {line["expect"] for line in lines} == {"stored", "duplicate", "rejected"}


def test_an_unfinished_run_has_no_completion(tmp_path: Path) -> None:
    assert read_completion(write_manifest(tmp_path / "m", "a")) is None


def test_an_incomplete_last_line_is_ignored(tmp_path: Path) -> None:
    path = write_manifest(tmp_path / "m", "a", "b")
    path.write_bytes(path.read_bytes()[:-10])
    assert [line["message_id"] for line in read_messages(path)] == ["a"]


def test_reopening_removes_an_incomplete_last_line(tmp_path: Path) -> None:
    path = write_manifest(tmp_path / "m", "a", "b")
    path.write_bytes(path.read_bytes()[:-10])
    with Manifest.reopen(path) as manifest:
        manifest.record([(message(1), "c")])
    assert [line["message_id"] for line in read_messages(path)] == ["a", "c"]


def test_the_last_completion_is_returned(tmp_path: Path) -> None:
    path = write_manifest(tmp_path / "m", "a", complete=True)
    with Manifest.reopen(path) as manifest:
        manifest.record([(message(1), "b")])
        manifest.complete(2, [])
    assert [line["message_id"] for line in read_messages(path)] == ["a", "b"]
    assert (read_completion(path) or {})["failed"] == []


def test_an_existing_manifest_is_never_overwritten(tmp_path: Path) -> None:
    path = write_manifest(tmp_path / "m", "a")
    before = path.read_bytes()
    with pytest.raises(ProducerError, match="--resume"):
        Manifest.create(path, HEADER)
    assert path.read_bytes() == before


def test_a_manifest_without_messages_is_removed(tmp_path: Path) -> None:
    path = write_manifest(tmp_path / "m")
    assert path.exists()
    path.unlink()
    with Manifest.create(path, HEADER):
        pass
    assert not path.exists()


def test_two_producers_cannot_write_one_manifest(tmp_path: Path) -> None:
    path = write_manifest(tmp_path / "m", "a")
    with Manifest.reopen(path), pytest.raises(ProducerError, match="Another producer"):
        Manifest.reopen(path)


def test_the_error_for_an_unwritable_path_names_the_option(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ProducerError, match="--manifest PATH"):
        Manifest.create(tmp_path / "file" / "m", HEADER)


@pytest.mark.parametrize("content", ["", "{}\n", "[1]\n", "no json\n", '{"manifest": 2}\n', '{"torn": 1'])
def test_a_file_that_is_not_a_manifest_is_an_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "m").write_text(content)
    with pytest.raises(ProducerError, match="not a manifest"):
        read_header(tmp_path / "m")


def test_a_finished_run_is_read_completely(tmp_path: Path) -> None:
    run = read_run(write_manifest(tmp_path / "m", "a", "b", complete=True))
    assert [sent.message_id for sent in run.messages] == ["a", "b"]
    assert (run.run_id, run.queue_url, run.failed, run.complete) == ("run-1", "http://sqs/0/q", 1, True)


def test_a_killed_run_is_read_up_to_its_incomplete_line(tmp_path: Path) -> None:
    path = write_manifest(tmp_path / "m", "a")
    with path.open("a") as file:
        file.write('{"message_id": "b')
    run = read_run(path)
    assert [sent.message_id for sent in run.messages] == ["a"]
    assert not run.complete


@pytest.mark.parametrize("change", [{"expect": "miracle"}, {"content_hash": None}])
def test_a_damaged_line_is_an_error(tmp_path: Path, change: dict[str, str | None]) -> None:
    path = write_manifest(tmp_path / "m", "a")
    header, line = path.read_text().splitlines()
    damaged = {name: value for name, value in (json.loads(line) | change).items() if value is not None}
    path.write_text(f"{header}\n{json.dumps(damaged)}\n")
    with pytest.raises(ProducerError, match="damaged"):
        read_run(path)


def test_a_missing_manifest_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProducerError, match="No such file"):
        read_header(tmp_path / "m")


def test_a_full_disk_ends_the_run_with_an_explanation(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("only Linux has a device that is always full")
    with (
        Manifest(full, os.open(full, os.O_WRONLY), keep=True) as manifest,
        pytest.raises(ProducerError, match="No space left"),
    ):
        manifest.record([(message(), "a")])


def test_a_line_is_written_immediately(tmp_path: Path) -> None:
    with Manifest.create(tmp_path / "m", HEADER) as manifest:
        manifest.record([(message(), "a")])
        lines = (tmp_path / "m").read_text().splitlines()
    assert json.loads(lines[-1])["message_id"] == "a"


def test_a_run_is_running_as_long_as_its_producer_has_the_manifest(tmp_path: Path) -> None:
    with Manifest.create(tmp_path / "m", HEADER) as manifest:
        manifest.record([(message(), "a")])
        assert read_run(tmp_path / "m").running
    run = read_run(tmp_path / "m")
    assert (run.running, run.complete) == (False, False)


@pytest.mark.parametrize(
    ("name", "value"),
    [("message_id", 5), ("content_hash", ["x"]), ("expect", {}), ("large_order", "no"), ("event_id", 1)],
)
def test_a_message_with_a_value_of_another_type_is_named(tmp_path: Path, name: str, value: object) -> None:
    path = write_manifest(tmp_path / "m", "a")
    header, line = path.read_text().splitlines()
    path.write_text(f"{header}\n{json.dumps({**json.loads(line), name: value})}\n")
    with pytest.raises(ProducerError, match="is damaged"):
        read_run(path)


@pytest.mark.parametrize(
    "text", ["", "{}", "[" * 9000, '{"manifest": 1}', '{"manifest": 1, "run_id": 5}', "9" * 5000]
)
def test_a_first_line_of_another_kind_is_no_manifest(tmp_path: Path, text: str) -> None:
    (tmp_path / "m").write_text(text + "\n")
    with pytest.raises(ProducerError, match="is not a manifest"):
        read_run(tmp_path / "m")


def test_a_line_is_read_within_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("producer.manifest._MAX_LINE_BYTES", 1000)
    path = write_manifest(tmp_path / "m", "a")
    path.write_bytes(path.read_bytes() + b"x" * 1000)
    with pytest.raises(ProducerError, match="line 3 is too long"):
        read_run(path)
    with pytest.raises(ProducerError, match="too long"):
        read_header(Path("/dev/zero"))
