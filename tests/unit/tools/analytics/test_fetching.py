"""The cache: what is in the bucket, once, and no more than the span needs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.unit.tools.analytics.archive import event_line, key, put
from tests.unit.tools.analytics.fakes import WRITTEN, FakeS3
from tools.analytics import archive
from tools.analytics.archive import fetched
from tools.analytics.database import open_archive
from tools.analytics.report_range import ReportRange
from tools.core.errors import OpsError

HOUR = ReportRange(datetime(2026, 11, 22, 14, tzinfo=UTC), datetime(2026, 11, 22, 15, tzinfo=UTC))


@pytest.fixture
def s3(tmp_path: Path) -> FakeS3:
    """Three objects: two of one hour, and one of the hour before."""
    made = tmp_path / "made"
    put(made, key(name="a"), event_line("{}"))
    put(made, key(name="b"), event_line("{}", event_id="e-2"))
    put(made, key("payment", "2026-11-22T13"), event_line("{}", event_id="e-3", event_type="payment"))
    found = FakeS3()
    found.put_all(made)
    return found


def event_ids(s3: FakeS3, cache: Path, span: ReportRange | None = None) -> Sequence[str]:
    with fetched(s3, "archive", cache, span) as found, open_archive(found.directory) as database:
        return [event_id for (event_id,) in database.query("select event_id from events order by 1").rows]


def test_every_object_is_fetched_once(s3: FakeS3, tmp_path: Path) -> None:
    assert event_ids(s3, tmp_path) == ["e-1", "e-2", "e-3"]
    assert sorted(s3.read) == sorted(s3.objects)
    assert event_ids(s3, tmp_path) == ["e-1", "e-2", "e-3"]
    assert len(s3.read) == 3


def test_what_is_new_is_fetched(s3: FakeS3, tmp_path: Path) -> None:
    event_ids(s3, tmp_path)
    s3.objects[key(name="c")] = put(tmp_path, "c.gz", event_line("{}", event_id="e-4")).read_bytes()
    assert event_ids(s3, tmp_path) == ["e-1", "e-2", "e-3", "e-4"]
    assert s3.read[3:] == [key(name="c")]


def test_what_has_changed_is_fetched_again(s3: FakeS3, tmp_path: Path) -> None:
    event_ids(s3, tmp_path)
    s3.objects[key(name="a")] = put(tmp_path, "a.gz", event_line("{}", event_id="e-9")).read_bytes()
    assert event_ids(s3, tmp_path) == ["e-2", "e-3", "e-9"]


def test_what_is_gone_vanishes(s3: FakeS3, tmp_path: Path) -> None:
    event_ids(s3, tmp_path)
    del s3.objects[key(name="a")]
    assert event_ids(s3, tmp_path) == ["e-2", "e-3"]


def test_a_span_lists_and_fetches_its_own_partitions_alone(s3: FakeS3, tmp_path: Path) -> None:
    assert event_ids(s3, tmp_path, HOUR) == ["e-1", "e-2"]
    assert all(prefix.endswith("/dt=2026-11-22/hour=14/") for prefix in s3.listed)
    assert key("payment", "2026-11-22T13") not in s3.read


def test_a_span_leaves_alone_what_else_is_in_the_cache(s3: FakeS3, tmp_path: Path) -> None:
    event_ids(s3, tmp_path)
    event_ids(s3, tmp_path, HOUR)
    assert event_ids(s3, tmp_path) == ["e-1", "e-2", "e-3"]
    assert len(s3.read) == 3


def test_what_a_killed_fetch_left_is_no_object(s3: FakeS3, tmp_path: Path) -> None:
    half = tmp_path / "archive" / f"{key()}.part"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    assert event_ids(s3, tmp_path) == ["e-1", "e-2", "e-3"]


def test_what_is_no_gzip_of_the_archive_is_left_where_it_is(s3: FakeS3, tmp_path: Path) -> None:
    s3.objects["events/type=order/dt=2026-11-22/hour=14/readme.txt"] = b"hello"
    s3.objects["athena-results/x.csv"] = b"1"
    assert len(event_ids(s3, tmp_path)) == 3


def test_it_is_said_what_was_fetched_and_how_new_it_is(s3: FakeS3, tmp_path: Path) -> None:
    heard: list[int] = []
    with fetched(s3, "archive", tmp_path, None, heard.append) as found:
        assert (len(found.objects), found.fetched, found.newest) == (3, 3, WRITTEN)
        assert found.size == sum(map(len, s3.objects.values()))
    assert heard == [1, 2, 3]


def test_too_much_is_refused_before_any_of_it_is_fetched(
    s3: FakeS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MOST_BYTES", 10)
    with pytest.raises(OpsError, match="3 objects: too much") as refused:
        event_ids(s3, tmp_path)
    assert "SINCE=" in refused.value.hint
    assert s3.read == []


def test_a_bucket_that_is_gone_is_the_client_s_error(s3: FakeS3, tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="NoSuchBucket"), fetched(s3, "elsewhere", tmp_path, None):
        pass
