"""Collects lines into gzip objects, one for each partition."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from archiver.lines import Line

# Level 5 writes a sixth less than level 1 in twice the time; level 6 only 2% less again (docs/adr/0021).
_LEVEL = 5
_GZIP = 31  # zlib's window bits for a gzip member with a window of 32 KiB
# Bytes of text in all open objects, after which they are written: it bounds the memory.
_MAX_OPEN_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Object:
    """An object of the archive: its key, its gzip data, and its number of lines."""

    key: str
    data: bytes
    lines: int


class Objects:
    """The objects of a batch. All have one name, each in its partition."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._open: dict[str, _Open] = {}
        self._size = 0
        self._part = 1

    def add(self, line: Line) -> list[Object]:
        """Add a line. Returns the objects to write now, if the open ones have become large."""
        lines_of = self._open.get(line.partition)
        if lines_of is None:
            lines_of = self._open[line.partition] = _Open()
        lines_of.add(line)
        self._size += len(line.text)
        return self.rest() if self._size >= _MAX_OPEN_BYTES else []

    def rest(self) -> list[Object]:
        """Return the open objects. Later lines go to new ones, whose name has a number."""
        name = self._name if self._part == 1 else f"{self._name}-{self._part}"
        made = [
            Object(f"{partition}/{name}.json.gz", lines_of.data(), lines_of.lines)
            for partition, lines_of in self._open.items()
        ]
        self._open, self._size, self._part = {}, 0, self._part + 1
        return made


class _Open:
    """The data of one object so far."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
        self.lines = 0

    def add(self, line: Line) -> None:
        self.lines += 1
        self._chunks.append(self._compressor.compress(line.text))

    def data(self) -> bytes:
        """Return the compressed data. No line can be added afterwards."""
        self._chunks.append(self._compressor.flush())
        return b"".join(self._chunks)
