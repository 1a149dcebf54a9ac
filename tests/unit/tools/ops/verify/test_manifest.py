from __future__ import annotations

import os
from pathlib import Path

import pytest

from producer.manifest import Header, Manifest
from tests.unit.producer.factories import message
from tests.unit.tools.fakes import FakeS3, pipeline
from tools.core.errors import ToolError, UsageError
from tools.ops.verify import manifest

QUEUE_URL = "http://localhost:1/000000000000/events"


def _write(path: Path, queue_url: str = QUEUE_URL) -> Path:
    with Manifest.create(path, Header("r1", 7, queue_url, "2026-11-23T00:00:00Z", {})) as written:
        written.record([(message(), "m-1")])
    return path


def test_a_file_that_is_not_a_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_text("{}\n")
    with pytest.raises(ToolError, match="not a manifest"):
        manifest.load(pipeline(), str(tmp_path / "m.jsonl"))


def test_the_error_for_a_missing_manifest_names_it(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"none\.jsonl"):
        manifest.load(pipeline(), str(tmp_path / "none.jsonl"))


def test_the_latest_manifest_is_the_one_written_last(tmp_path: Path) -> None:
    resources = pipeline(state_dir=tmp_path)
    older = _write(tmp_path / "manifests" / "z.jsonl")
    newer = _write(tmp_path / "manifests" / "a.jsonl")
    os.utime(older, ns=(1, 1))
    assert manifest.find(resources, None) == newer
    assert manifest.find(resources, "latest") == newer
    assert manifest.find(resources, "none") is None
    assert manifest.find(resources, str(older)) == older


def test_without_any_manifest_only_a_request_for_the_latest_is_an_error(tmp_path: Path) -> None:
    resources = pipeline(state_dir=tmp_path)
    assert manifest.load(resources, None) is None
    with pytest.raises(ToolError, match="no manifest"):
        manifest.load(resources, "latest")


def test_a_run_is_loaded_if_its_queue_has_another_host_name(tmp_path: Path) -> None:
    parts = manifest.load(pipeline(s3=FakeS3()), str(_write(tmp_path / "m.jsonl")))
    assert parts is not None
    (run,) = parts
    assert [sent.message_id for sent in run.messages] == ["m-1"]


def test_a_run_that_was_sent_to_another_queue_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path / "manifests" / "o.jsonl", "http://localhost:1/000000000000/other")
    resources = pipeline(state_dir=tmp_path)
    for requested in ("latest", str(path)):
        with pytest.raises(UsageError, match="not to this pipeline's queue"):
            manifest.load(resources, requested)
    assert manifest.load(resources, None) is None
