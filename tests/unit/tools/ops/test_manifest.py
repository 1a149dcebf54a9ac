from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.unit.tools.ops.fakes import pipeline
from tools.core.errors import OpsError, UsageError
from tools.ops.verify import manifest

HEADER = {
    "manifest": 1,
    "run_id": "r1",
    "seed": 7,
    "queue_url": "http://localhost:1/000000000000/events",
    "started_at": "2026-11-23T00:00:00Z",
    "arguments": {},
}
SENT = {
    "message_id": "m-1",
    "event_id": "evt-1",
    "event_type": "order",
    "content_hash": "ab",
    "expect": "stored",
    "large_order": True,
}
END = {"sent": 1, "failed": ["evt-2"], "finished_at": "2026-11-23T00:00:01Z"}


def _write(path: Path, *lines: object, torn: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + torn)
    return path


def test_a_finished_run_is_read_whole(tmp_path: Path) -> None:
    read = manifest.read(_write(tmp_path / "m.jsonl", HEADER, SENT, END))
    assert [copy.message_id for copy in read.sent] == ["m-1"]
    assert (read.run_id, read.failed, read.complete) == ("r1", 1, True)


def test_a_killed_run_is_read_as_far_as_it_came(tmp_path: Path) -> None:
    read = manifest.read(_write(tmp_path / "m.jsonl", HEADER, SENT, torn='{"message_id": "m-'))
    assert len(read.sent) == 1
    assert not read.complete


@pytest.mark.parametrize("first", [{"manifest": 2}, {"anything": "else"}])
def test_other_files_are_refused(tmp_path: Path, first: object) -> None:
    with pytest.raises(OpsError, match="not a manifest"):
        manifest.read(_write(tmp_path / "m.jsonl", first))


def test_a_damaged_line_is_refused(tmp_path: Path) -> None:
    for damaged in ({**SENT, "expect": "miracle"}, {"message_id": "m-1"}):
        with pytest.raises(OpsError, match="damaged"):
            manifest.read(_write(tmp_path / "m.jsonl", HEADER, damaged))


def test_a_manifest_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match=r"none\.jsonl"):
        manifest.read(tmp_path / "none.jsonl")


def test_the_latest_manifest_is_the_one_written_last(tmp_path: Path) -> None:
    resources = pipeline(state_dir=tmp_path)
    older = _write(tmp_path / "manifests" / "z.jsonl", HEADER)
    newer = _write(tmp_path / "manifests" / "a.jsonl", HEADER)
    os.utime(older, ns=(1, 1))
    assert manifest.choose(resources, None) == newer
    assert manifest.choose(resources, "latest") == newer
    assert manifest.choose(resources, "none") is None
    assert manifest.choose(resources, str(older)) == older


def test_without_any_manifest_only_asking_for_the_latest_is_an_error(tmp_path: Path) -> None:
    resources = pipeline(state_dir=tmp_path)
    assert manifest.choose(resources, None) is None
    with pytest.raises(OpsError, match="no manifest"):
        manifest.choose(resources, "latest")


def test_a_run_sent_to_another_queue_is_refused_and_another_name_of_the_host_is_not(tmp_path: Path) -> None:
    manifest.check_target(manifest.read(_write(tmp_path / "m.jsonl", HEADER)), pipeline())
    other = {**HEADER, "queue_url": "http://localhost:1/000000000000/other"}
    with pytest.raises(UsageError, match="not to this pipeline's queue"):
        manifest.check_target(manifest.read(_write(tmp_path / "o.jsonl", other)), pipeline())
