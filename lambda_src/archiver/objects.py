"""Collects lines into compressed objects, one for each partition."""

import zlib
from dataclasses import dataclass, field
from typing import Any

from archiver.lines import Line
from storage import zstd

# docs/adr/0038 has the sizes and times of other levels.
_LEVEL = 6
# Without zstd, objects are gzip, as all were before (docs/adr/0021).
_GZIP_LEVEL = 5
_GZIP = 31  # zlib's window bits for a gzip member with a window of 32 KiB
# Bytes of text in all open objects, after which they are written: it bounds the memory.
_MAX_OPEN_BYTES = 16 * 1024 * 1024

ZSTD_SUFFIX = ".jsonl.zst"
GZIP_SUFFIX = ".json.gz"


@dataclass(frozen=True, slots=True)
class Object:
    """An object of the archive: its key, its compressed data, and its number of lines."""

    key: str
    data: bytes
    lines: int

    @property
    def content_type(self) -> str:
        """Return the media type of the data."""
        return "application/zstd" if self.key.endswith(ZSTD_SUFFIX) else "application/gzip"


@dataclass
class Objects:
    """The objects of a batch. All have one name, each in its partition."""

    name: str
    _open: dict[str, list[bytes]] = field(default_factory=dict)
    _size: int = 0
    _part: int = 1

    def add(self, line: Line) -> list[Object]:
        """Add a line. Returns the objects to write now, if the open ones have become large."""
        self._open.setdefault(line.partition, []).append(line.text)
        self._size += len(line.text)
        return self.rest() if self._size >= _MAX_OPEN_BYTES else []

    def rest(self) -> list[Object]:
        """Return the open objects. Later lines go to new ones, whose name has a number."""
        name = self.name if self._part == 1 else f"{self.name}-{self._part}"
        suffix = ZSTD_SUFFIX if zstd.available() else GZIP_SUFFIX
        made = [
            Object(f"{partition}/{name}{suffix}", _compressed(lines), len(lines))
            for partition, lines in self._open.items()
        ]
        self._open, self._size, self._part = {}, 0, self._part + 1
        return made


def _compressed(lines: list[bytes]) -> bytes:
    # A compressor takes megabytes, so partitions are compressed one after another, when they are complete.
    compressor: Any = (
        zstd.stream_compressor(_LEVEL)
        if zstd.available()
        else zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP)
    )
    return b"".join([*map(compressor.compress, lines), compressor.flush()])
