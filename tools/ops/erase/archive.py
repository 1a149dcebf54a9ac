"""Lines of the archive. Objects are written again without them, and their other versions removed."""

import gzip
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from botocore.exceptions import ClientError

from archiver.lines import EVENTS, REJECTED
from archiver.objects import ZSTD_SUFFIX, Object
from storage import zstd
from tools.core import archive_objects
from tools.core.archive_objects import DamagedObject
from tools.core.aws_errors import code_of
from tools.core.disk import DiskMap
from tools.core.parallel import parallel
from tools.ops.erase import versions
from tools.ops.erase.lines import PREFIXES, hash_of_large, judge
from tools.ops.erase.matching import Relation
from tools.ops.erase.search import Search, Trace
from tools.ops.erase.versions import Version
from tools.ops.payloads import fetcher

# Each holds an object of at most 64 MiB.
_THREADS = 4
_ZSTD_LEVEL, _GZIP_LEVEL = 6, 5
# The archiver may write again while objects are written, but not without end.
_MAX_SWEEPS = 5
# Whose a line of these is, it says itself. Each machine looks for the other lines of what it knows.
_SHARED = (EVENTS, REJECTED)
_WRITTEN_MEANWHILE = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412")


@dataclass
class _Content:
    """The content of an object: the customer's messages, others' that mention the customer, other lines."""

    own: list[Trace] = field(default_factory=list)
    mentions: list[str] = field(default_factory=list)
    in_use: set[str] = field(default_factory=set)
    rest: list[bytes] = field(default_factory=list)
    problem: str = ""


def read_content(
    search: Search, prefix: str, data: bytes, fetch: Any, *, keep_rest: bool = False
) -> _Content:
    """Read an object, and sort its lines. Those of others are kept if asked for. Raises DamagedObject."""
    content = _Content()
    for line in archive_objects.lines(data):
        judged = judge(prefix, line, search, fetch)
        if judged.relation is Relation.OWN:
            content.own.append(judged.trace)
            continue
        if keep_rest:
            content.rest.append(line)
        if large := hash_of_large(line):
            content.in_use.add(large)
        if judged.relation is Relation.MENTION:
            content.mentions.append(judged.name)
    return content


class ArchiveLines:
    """The lines of the customer in all versions of all objects."""

    title = "archive lines"

    def __init__(self, search: Search) -> None:
        self._search = search
        self._s3 = search.resources.client("s3")
        self._bucket = search.resources.archive_bucket
        self._fetch = fetcher(search.resources)
        self._versions_read = DiskMap()
        self._found: list[Version] = []

    def find(self) -> int:
        """Find the objects with lines of the customer. Return the number of lines."""
        if not self._bucket:
            return 0
        # Duplicates come last: they are found by the events' ids.
        return sum(self._read_new(prefix) for prefix in PREFIXES)

    def erase(self) -> None:
        """Write the objects again without the lines, and look for what was written meanwhile."""
        for _sweep in range(_MAX_SWEEPS):
            for _ in parallel(self._rewrite, self._found, _THREADS):
                pass
            self._found = []
            if not self.find():
                return
        self._search.problems[f"s3://{self._bucket}: the archiver writes lines again and again"] = None

    def _read_new(self, prefix: str) -> int:
        search = self._search
        listed = versions.list_versions(self._s3, self._bucket, f"{prefix}/")
        new = (
            version
            for version in listed
            if (prefix not in _SHARED or search.share.has(version.key))
            and self._versions_read.add(version.key, f"{version.version_id} {version.etag}")
        )
        count = 0
        for version, content in parallel(self._read, new, _THREADS):
            if content.problem:
                search.problems[f"s3://{self._bucket}/{version.key}: {content.problem}"] = None
            count += search.add(content.own)
            for name in content.mentions:
                search.mention(name, self.title)
            for content_hash in content.in_use:
                search.bodies_in_use.add(content_hash)
            if content.own:
                self._found.append(version)
        return count

    def _read(self, version: Version, *, keep_rest: bool = False) -> tuple[Version, _Content]:
        content = _Content()
        try:
            data = archive_objects.read(self._s3, self._bucket, version.key, version.version_id)
            prefix = version.key.partition("/")[0]
            content = read_content(self._search, prefix, data, self._fetch, keep_rest=keep_rest)
        except DamagedObject as error:
            content.problem = f"it cannot be read: {error}"
        except ClientError as error:
            if code_of(error) not in ("NoSuchKey", "NoSuchVersion"):
                raise  # else it expired meanwhile
        return version, content

    def _rewrite(self, version: Version) -> None:
        _, content = self._read(version, keep_rest=True)
        if not content.own:
            return
        new = None
        if version.is_latest and content.rest:
            made = Object(version.key, _packed(version.key, content.rest), len(content.rest))
            try:
                new = self._s3.put_object(
                    Bucket=self._bucket,
                    Key=made.key,
                    Body=made.data,
                    ContentType=made.content_type,
                    StorageClass=version.storage_class,
                    IfMatch=version.etag,
                ).get("VersionId", "null")
            except ClientError as error:
                if code_of(error) not in _WRITTEN_MEANWHILE:
                    raise
                # Another machine has written the object, which the next sweep reads. Without versioning it
                # has replaced this one.
                if version.version_id == "null":
                    return
        if new != version.version_id:
            versions.delete(self._s3, self._bucket, version)


def _packed(key: str, lines: Iterable[bytes]) -> bytes:
    text = b"".join(chain.from_iterable((line, b"\n") for line in lines))
    if key.endswith(ZSTD_SUFFIX):
        return zstd.compress(text, _ZSTD_LEVEL)
    return gzip.compress(text, _GZIP_LEVEL, mtime=0)
