"""The archive's objects, fetched once into a directory that DuckDB reads."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

import contract
from tools.analytics.report_range import ReportRange
from tools.core.errors import OpsError

_TYPES: list[str] = contract.SCHEMA["properties"]["event_type"]["enum"]
PREFIXES = (
    *(f"events/type={name}/" for name in _TYPES),
    *(f"rejected/kind={name}/" for name in ("invalid_event", "event_id_conflict")),
)
_SUFFIX = ".json.gz"
# As many as the client keeps connections (tools/core/resources.py).
_AT_ONCE = 16
# More is a job for Athena, which reads where the data is; S3 bills what leaves the region.
MOST_BYTES = 4 * 1024**3


@dataclass(frozen=True)
class ArchiveObject:
    """An object of the archive: ``etag`` changes with its content."""

    key: str
    etag: str
    size: int
    written: datetime

    @property
    def path(self) -> str:
        """Where it lies in the cache. The ETag is in the name, so that what is there is what was listed."""
        key = PurePosixPath(self.key)
        return str(key.with_name(f"{key.name.removesuffix(_SUFFIX)}.{self.etag}{_SUFFIX}"))


@dataclass(frozen=True)
class SyncResult:
    """What the archive holds, now that it is here as well."""

    directory: Path
    objects: tuple[ArchiveObject, ...]
    fetched: int

    @property
    def size(self) -> int:
        """Bytes of all objects, compressed."""
        return sum(one.size for one in self.objects)

    @property
    def newest(self) -> datetime | None:
        """When the newest object was written."""
        return max((one.written for one in self.objects), default=None)


def _nothing(done: int) -> None:
    """Hears how far a fetch is."""


@contextmanager
def fetched(
    s3: Any, bucket: str, cache: Path, span: ReportRange | None, progress: Callable[[int], None] = _nothing
) -> Iterator[SyncResult]:
    """Bring the cache up to date with the bucket, and keep others from changing it meanwhile.

    Objects that are gone from the bucket go from the cache as well, as far as the span reaches. ``progress``
    hears how many have come. Raises OpsError for a span that holds too much to be fetched, and botocore's
    errors.
    """
    directory = (cache / bucket).resolve()
    # It is what customers sent: nobody else on this machine is to read it.
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (directory / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        prefixes = [
            f"{prefix}{part}" for prefix in PREFIXES for part in (span.partitions() if span else [""])
        ]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            objects = [one for listed in pool.map(lambda p: _list(s3, bucket, p), prefixes) for one in listed]
            if (size := sum(one.size for one in objects)) > MOST_BYTES:
                raise OpsError(
                    f"That is {size / 1024**3:,.0f} GB in {len(objects):,} objects: too much to fetch.",
                    "SINCE= and UNTIL= narrow it; for more there is Athena (docs/analytics.md).",
                )
            wanted = {one.path: one for one in objects}
            there = {path for prefix in prefixes for path in _cached(directory, prefix)}
            for path in there - set(wanted):
                (directory / path).unlink()
            missing = [one for path, one in wanted.items() if path not in there]
            for done, _ in enumerate(pool.map(lambda one: _fetch(s3, bucket, one, directory), missing), 1):
                progress(done)
        # From here on others may read as well, but not change.
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield SyncResult(directory, tuple(objects), len(missing))


def _list(s3: Any, bucket: str, prefix: str) -> list[ArchiveObject]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [
        ArchiveObject(one["Key"], one["ETag"].strip('"'), one["Size"], one["LastModified"])
        for page in pages
        for one in page.get("Contents", ())
        if one["Key"].endswith(_SUFFIX)
    ]


def _cached(directory: Path, prefix: str) -> list[str]:
    return [str(path.relative_to(directory)) for path in (directory / prefix).glob(f"**/*{_SUFFIX}")]


def _fetch(s3: Any, bucket: str, one: ArchiveObject, directory: Path) -> None:
    path = directory / one.path
    path.parent.mkdir(parents=True, exist_ok=True)
    # Whole or not at all, whenever this is killed; the next run writes over what it left.
    half = path.with_name(f"{path.name}.part")
    half.write_bytes(s3.get_object(Bucket=bucket, Key=one.key)["Body"].read())
    half.replace(path)
