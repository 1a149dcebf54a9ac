"""The cache has each object of the selected range once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.unit.tools.analytics.archive_files import event_line, object_key, write_object
from tests.unit.tools.analytics.fakes import LAST_MODIFIED, FakeS3
from tools.analytics import archive
from tools.analytics.archive import sync_archive
from tools.analytics.database import open_archive
from tools.core.archive_range import ArchiveRange
from tools.core.errors import ToolError

HOUR = ArchiveRange(datetime(2026, 11, 22, 14, tzinfo=UTC), datetime(2026, 11, 22, 15, tzinfo=UTC))


@pytest.fixture
def s3(tmp_path: Path) -> FakeS3:
    """Three objects: two of one hour, and one of the hour before."""
    source = tmp_path / "source"
    write_object(source, object_key(name="a"), event_line("{}"))
    write_object(source, object_key(name="b"), event_line("{}", event_id="e-2"))
    write_object(
        source, object_key("payment", "2026-11-22T13"), event_line("{}", event_id="e-3", event_type="payment")
    )
    fake = FakeS3()
    fake.put_all(source)
    return fake


def event_ids(s3: FakeS3, cache: Path, selected: ArchiveRange | None = None) -> Sequence[str]:
    with sync_archive(s3, "archive", cache, selected) as synced, open_archive(synced.directory) as database:
        return [event_id for (event_id,) in database.query("select event_id from events order by 1").rows]


def test_every_object_is_downloaded_once(s3: FakeS3, tmp_path: Path) -> None:
    assert event_ids(s3, tmp_path) == ["e-1", "e-2", "e-3"]
    assert sorted(s3.read_keys) == sorted(s3.objects)
    assert event_ids(s3, tmp_path) == ["e-1", "e-2", "e-3"]
    assert len(s3.read_keys) == 3


def test_a_new_object_is_downloaded(s3: FakeS3, tmp_path: Path) -> None:
    event_ids(s3, tmp_path)
    s3.objects[object_key(name="c")] = write_object(
        tmp_path, "c.gz", event_line("{}", event_id="e-4")
    ).read_bytes()
    assert event_ids(s3, tmp_path) == ["e-1", "e-2", "e-3", "e-4"]
    assert s3.read_keys[3:] == [object_key(name="c")]


def test_a_changed_object_is_downloaded_again(s3: FakeS3, tmp_path: Path) -> None:
    event_ids(s3, tmp_path)
    s3.objects[object_key(name="a")] = write_object(
        tmp_path, "a.gz", event_line("{}", event_id="e-9")
    ).read_bytes()
    assert event_ids(s3, tmp_path) == ["e-2", "e-3", "e-9"]


def test_a_deleted_object_is_removed_from_the_cache(s3: FakeS3, tmp_path: Path) -> None:
    event_ids(s3, tmp_path)
    del s3.objects[object_key(name="a")]
    assert event_ids(s3, tmp_path) == ["e-2", "e-3"]


def test_a_range_lists_and_downloads_only_its_own_partitions(s3: FakeS3, tmp_path: Path) -> None:
    assert event_ids(s3, tmp_path, HOUR) == ["e-1", "e-2"]
    assert all(prefix.endswith("/dt=2026-11-22/hour=14/") for prefix in s3.listed_prefixes)
    assert object_key("payment", "2026-11-22T13") not in s3.read_keys


def test_a_range_leaves_other_partitions_in_the_cache(s3: FakeS3, tmp_path: Path) -> None:
    event_ids(s3, tmp_path)
    event_ids(s3, tmp_path, HOUR)
    assert event_ids(s3, tmp_path) == ["e-1", "e-2", "e-3"]
    assert len(s3.read_keys) == 3


def test_an_interrupted_download_is_not_an_object(s3: FakeS3, tmp_path: Path) -> None:
    partial = tmp_path / "archive" / f"{object_key()}.part"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(b"partial")
    assert event_ids(s3, tmp_path) == ["e-1", "e-2", "e-3"]


def test_other_objects_in_the_bucket_are_not_downloaded(s3: FakeS3, tmp_path: Path) -> None:
    s3.objects["events/type=order/dt=2026-11-22/hour=14/readme.txt"] = b"hello"
    s3.objects["athena-results/x.csv"] = b"1"
    assert len(event_ids(s3, tmp_path)) == 3


def test_the_result_has_the_number_of_downloads_and_the_age_of_the_archive(
    s3: FakeS3, tmp_path: Path
) -> None:
    reported: list[int] = []
    with sync_archive(s3, "archive", tmp_path, None, reported.append) as synced:
        assert (len(synced.objects), synced.downloaded, synced.last_modified) == (3, 3, LAST_MODIFIED)
        assert synced.size == sum(map(len, s3.objects.values()))
    assert reported == [1, 2, 3]


def test_a_range_that_is_too_large_is_refused_before_any_download(
    s3: FakeS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_BYTES", 10)
    with pytest.raises(ToolError, match="3 objects: too much") as refused:
        event_ids(s3, tmp_path)
    assert "SINCE=" in refused.value.hint
    assert s3.read_keys == []


def test_a_missing_bucket_raises_the_clients_error(s3: FakeS3, tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="NoSuchBucket"), sync_archive(s3, "elsewhere", tmp_path, None):
        pass
