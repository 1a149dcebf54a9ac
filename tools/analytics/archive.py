"""A local copy of the archive's objects for DuckDB. Each object is downloaded once."""

import fcntl
import gzip
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from archiver.objects import GZIP_SUFFIX, ZSTD_SUFFIX
from storage import zstd
from tools.core import archive_objects
from tools.core.archive_objects import DamagedObject
from tools.core.archive_range import PREFIXES, ArchiveRange
from tools.core.console import plural
from tools.core.errors import ToolError

_COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ZSTD_SUFFIX: partial(zstd.compress, level=1),
    GZIP_SUFFIX: gzip.compress,
}
_SUFFIXES = tuple(_COMPRESS)
# Keys of other forms could name a path outside the cache.
_KEY = re.compile(
    r"(events/type=\w+|rejected/kind=\w+|duplicates)/dt=\d{4}-\d\d-\d\d/hour=\d\d/"
    r"[\w-][\w.-]*(\.json\.gz|\.jsonl\.zst)",
    re.ASCII,
)
_ETAG = re.compile(r"[\w-]+", re.ASCII)
# DuckDB stops at a line with a control character or with bytes that are not UTF-8. JSON has neither.
_CONTROLS = re.compile(rb"[\x00-\x08\x0a-\x1f]")
# The client's connection pool has the same size (tools/core/resources.py).
_CONCURRENCY = 16
# Athena reads more than this where it is stored; a download would also be billed as data transfer.
MAX_BYTES = 4 * 1024**3


@dataclass(frozen=True)
class ArchiveObject:
    """An object of the archive. ``etag`` changes with its content."""

    key: str
    etag: str
    size: int
    last_modified: datetime

    @property
    def suffix(self) -> str:
        """Return the end of its name, which says how it is compressed."""
        return ZSTD_SUFFIX if self.key.endswith(ZSTD_SUFFIX) else GZIP_SUFFIX

    @property
    def path(self) -> str:
        """Return its path in the cache. The name has the ETag, so that a changed object is another file."""
        key = PurePosixPath(self.key)
        return str(key.with_name(f"{key.name.removesuffix(self.suffix)}.{self.etag}{self.suffix}"))


@dataclass(frozen=True)
class SyncResult:
    """The objects that are now in ``directory``; ``downloaded`` of them were new.

    ``refused`` has the keys of objects that the archiver did not write as they are, and the reasons. Of a new
    object with damaged lines, the other lines are in ``directory``.
    """

    directory: Path
    objects: tuple[ArchiveObject, ...]
    downloaded: int
    refused: tuple[tuple[str, str], ...] = ()

    @property
    def size(self) -> int:
        """Return the compressed bytes of all objects."""
        return sum(archived.size for archived in self.objects)

    @property
    def last_modified(self) -> datetime | None:
        """Return the time when the newest object was written."""
        return max((archived.last_modified for archived in self.objects), default=None)


@contextmanager
def sync_archive(
    s3: Any,
    bucket: str,
    cache: Path,
    selected: ArchiveRange | None,
    progress: Callable[[int], None] | None = None,
) -> Iterator[SyncResult]:
    """Download new objects, remove deleted ones, and lock the cache against changes.

    ``selected`` limits both to a range. ``progress`` receives the number of downloaded objects.
    Raises ToolError if the range holds too many bytes, and botocore's errors.
    """
    directory = (cache / bucket).resolve()
    # The objects hold customer data, so other users of this machine must not read them.
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (directory / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        partitions = selected.partitions() if selected else [""]
        prefixes = [f"{prefix}{partition}" for prefix in PREFIXES for partition in partitions]
        with ThreadPoolExecutor(_CONCURRENCY) as pool:
            listings = pool.map(lambda prefix: _list_objects(s3, bucket, prefix), prefixes)
            refused: list[tuple[str, str]] = []
            objects = {
                archived.path: archived
                for listing in listings
                for archived in listing
                if (selected is None or selected.has_key(archived.key)) and _is_well_named(archived, refused)
            }
            _check_size(list(objects.values()))
            cached = {
                path
                for prefix in prefixes
                for path in _cached_paths(directory, prefix)
                if selected is None or selected.has_key(path)
            }
            for path in cached - set(objects):
                (directory / path).unlink()
            missing = [archived for path, archived in objects.items() if path not in cached]
            downloads = pool.map(lambda archived: _download(s3, bucket, archived, directory), missing)
            for done, (archived, problem) in enumerate(zip(missing, downloads, strict=True), 1):
                if problem is not None:
                    refused.append((archived.key, problem))
                if progress is not None:
                    progress(done)
        # A shared lock lets other commands read the cache, and stops them from changing it.
        fcntl.flock(lock, fcntl.LOCK_SH)
        present = tuple(each for path, each in objects.items() if (directory / path).exists())
        yield SyncResult(directory, present, len(missing), tuple(refused))


def _is_well_named(archived: ArchiveObject, refused: list[tuple[str, str]]) -> bool:
    if _KEY.fullmatch(archived.key) and _ETAG.fullmatch(archived.etag):
        return True
    refused.append((archived.key, "the archiver writes no such key"))
    return False


def _check_size(objects: list[ArchiveObject]) -> None:
    size = sum(archived.size for archived in objects)
    if size > MAX_BYTES:
        raise ToolError(
            f"The range holds {size / 1024**3:,.0f} GB in {len(objects):,} objects: too much to download.",
            "Narrow it with SINCE= and UNTIL=, or query it with Athena (docs/analytics.md).",
        )


def _list_objects(s3: Any, bucket: str, prefix: str) -> list[ArchiveObject]:
    return [
        ArchiveObject(entry["Key"], entry["ETag"].strip('"'), entry["Size"], entry["LastModified"])
        for entry in archive_objects.listed(s3, bucket, prefix)
        if entry["Key"].endswith(_SUFFIXES)
    ]


def _cached_paths(directory: Path, prefix: str) -> list[str]:
    paths = (path for suffix in _SUFFIXES for path in (directory / prefix).glob(f"**/*{suffix}"))
    return [str(path.relative_to(directory)) for path in paths]


def _download(s3: Any, bucket: str, archived: ArchiveObject, directory: Path) -> str | None:
    """Write the readable lines of an object into the cache. Returns what is damaged, or None."""
    path = directory / archived.path
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        data = archive_objects.read(s3, bucket, archived.key)
        lines = list(archive_objects.lines(data))
    except DamagedObject as error:
        return str(error)
    readable = [line for line in lines if _is_readable(line)]
    if damaged := len(lines) - len(readable):
        data = _COMPRESS[archived.suffix](b"".join(line + b"\n" for line in readable))
    # The rename is atomic: an interrupted download never looks like an object.
    partial = path.with_name(f"{path.name}.part")
    partial.write_bytes(data)
    partial.replace(path)
    return f"{plural(damaged, 'line')} cannot be read" if damaged else None


def _is_readable(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return _CONTROLS.search(line) is None
