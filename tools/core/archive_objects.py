"""Read objects of the archive within bounds, because anything can lie in a bucket."""

import zlib
from collections.abc import Iterator
from typing import Any

from storage import zstd

# The archiver writes objects of 32 MiB of text at most, and one more line. The longest line is a body of
# 1 MiB in JSON escapes, which are six times as long, and in base64.
MAX_OBJECT_BYTES = 64 * 1024 * 1024
MAX_LINE_BYTES = 16 * 1024 * 1024
# The columns of a line have over 200 bytes.
MAX_LINES = MAX_OBJECT_BYTES // 128
_CHUNK = 1024 * 1024
_BODY_BEGINS = 64
_GZIP = 31  # zlib's window bits for a gzip member
# The first bytes of a file (RFC 1952, RFC 8878).
_GZIP_MAGIC, _ZSTD_MAGIC = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class DamagedObject(ValueError):
    """The archiver did not write this object; the message says why."""


def listed(s3: Any, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
    """Yield what S3 lists of the objects of any bucket whose keys have a prefix."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from page.get("Contents", ())


def read(s3: Any, bucket: str, key: str, version_id: str | None = None) -> bytes:
    """Return an object, or one version of it. Raises DamagedObject if the archiver writes none so large."""
    version = {"VersionId": version_id} if version_id else {}
    data: bytes = s3.get_object(Bucket=bucket, Key=key, **version)["Body"].read(MAX_OBJECT_BYTES + 1)
    if len(data) > MAX_OBJECT_BYTES:
        raise DamagedObject(f"it has more than {MAX_OBJECT_BYTES:,} bytes")
    return data


def lines(data: bytes, body: bytes = b"") -> Iterator[bytes]:
    """Yield the lines of an object, of gzip or zstd. Raises DamagedObject at what is cut or too large.

    A long line is cut after the first ``body``, the name of a member that is not needed, and its start.
    """
    line, is_cut, length, size, count = b"", False, 0, 0, 0
    for chunk in _unpack(data):
        size += len(chunk)
        start, end = 0, chunk.find(b"\n")
        while start < len(chunk):
            stop = end if end >= 0 else len(chunk)
            length += stop - start
            # Most of the time went into copies of long lines.
            if not is_cut:
                found = chunk.find(body, start, stop) if body else -1
                needed = found + len(body) + _BODY_BEGINS if found >= 0 else stop
                is_cut = needed < stop
                line += chunk[start : min(needed, stop)]
            if end >= 0:
                yield line
                line, is_cut, length, count = b"", False, 0, count + 1
            start, end = stop + 1, chunk.find(b"\n", stop + 1)
        for value, limit, unit in (
            (size, MAX_OBJECT_BYTES, "bytes"),
            (count, MAX_LINES, "lines"),
            (length, MAX_LINE_BYTES, "bytes in a line"),
        ):
            if value > limit:
                raise DamagedObject(f"its text has more than {limit:,} {unit}")
    if line:
        yield line


def _unpack(data: bytes) -> Iterator[bytes]:
    if data.startswith(_ZSTD_MAGIC):
        try:
            yield from zstd.decompress_chunks(data)
        except zstd.DamagedFrame as error:
            raise DamagedObject(f"it is damaged zstd: {error}") from None
    elif data.startswith(_GZIP_MAGIC):
        yield from _gunzip(data)
    else:
        raise DamagedObject("it is neither gzip nor zstd" if data else "it is empty")


def _gunzip(data: bytes) -> Iterator[bytes]:
    while data:  # an object may have several gzip members
        member = zlib.decompressobj(_GZIP)
        while not member.eof:
            try:
                chunk = member.decompress(data, _CHUNK)
            except zlib.error as error:
                raise DamagedObject(f"it is no gzip: {error}") from None
            data = member.unconsumed_tail
            if not chunk and not data and not member.eof:
                raise DamagedObject("its end is missing")
            yield chunk
        data = member.unused_data
