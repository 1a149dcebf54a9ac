"""Every reading command reads what earlier versions stored, beside what this one stores."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.integration.conftest import Pipeline
from tests.integration.running_ops import analytics, ops
from tests.old_data import VERSIONS, Version, binary

EACH = pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
SINCE = "2026-11-01"


@pytest.fixture(scope="module")
def old(new_stack: Callable[..., AbstractContextManager[Pipeline]]) -> Iterator[Pipeline]:
    """A stack whose tables and buckets have what every version stored."""
    with new_stack() as pipeline:
        for version in VERSIONS:
            load(pipeline, version)
        yield pipeline


def load(pipeline: Pipeline, version: Version) -> None:
    outputs = pipeline.state.outputs
    names = {"events": "table_name", "rejected": "rejected_table_name", "duplicates": "duplicates_table_name"}
    later = {"expires_at": {"N": str(int(time.time()) + 86_400)}}
    for table, items in version.tables.items():
        for item in items:
            kept = {**binary(item), **(later if "expires_at" in item else {})}
            pipeline.dynamodb.put_item(TableName=outputs[names[table]], Item=kept)
    for key, data in version.objects.items():
        pipeline.s3.put_object(Bucket=outputs["payload_bucket"], Key=key, Body=data)
    archive = version.data / "archive"
    for path in (path for path in archive.rglob("*") if path.is_file()):
        # The objects of all versions have one name.
        key = path.relative_to(archive).with_name(f"{version.name}-{path.name}").as_posix()
        pipeline.s3.put_object(Bucket=outputs["archive_bucket"], Key=key, Body=path.read_bytes())


def printed(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@EACH
def test_get_shows_each_event_as_it_was_sent(old: Pipeline, version: Version) -> None:
    for name in ("order", "claim-check"):
        assert version.messages[name] in printed(ops(old, "get", EVENT_ID=f"{version.name}-{name}"))


@EACH
def test_events_and_rejected_list_every_row(old: Pipeline, version: Version) -> None:
    events = printed(ops(old, "events", LIMIT="100"))
    assert [item for item in version.tables["events"] if item["event_id"]["S"] not in events] == []
    rejected = printed(ops(old, "rejected", LIMIT="100"))
    for item in version.tables["rejected"]:
        assert item["message_id"]["S"] in rejected
        printed(ops(old, "rejected", ID=item["message_id"]["S"]))


def test_replay_and_rearchive_say_what_they_would_do(old: Pipeline) -> None:
    # Its status is 1, because the body of no-json has a character that SQS refuses.
    replayed = ops(old, "replay", DRY_RUN="1").stdout
    for version in VERSIONS:
        assert [i for i in version.tables["rejected"] if i["message_id"]["S"] not in replayed] == []
    assert "rejected" in printed(ops(old, "rearchive", SINCE=SINCE, DRY_RUN="1"))


def test_verify_decodes_every_body_and_finds_every_row_in_the_archive(old: Pipeline) -> None:
    rows = sum(len(version.kept) for version in VERSIONS)
    report = printed(ops(old, "verify", MANIFEST="none"))
    assert f"bodies {rows}" in " ".join(report.split())


@EACH
def test_query_and_report_read_every_line(old: Pipeline, version: Version, tmp_path: Path) -> None:
    query = f"select event_id from events where event_id like '{version.name}-%'"
    rows = printed(analytics(old, "query", SINCE=SINCE, Q=query, FORMAT="csv")).split()[1:]
    assert sorted(rows) == sorted(item["event_id"]["S"] for item in version.tables["events"])
    printed(analytics(old, "report", SINCE=SINCE, OUT=str(tmp_path / "report.html")))
    assert (tmp_path / "report.html").stat().st_size > 0
