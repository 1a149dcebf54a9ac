"""Lines gathered into gzip objects, one for each partition."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from archiver.lines import Line

# Level 6 makes 6% less of 1 KB events than level 1, for 15 us of CPU each.
_LEVEL = 6
_GZIP = 31  # zlib's window bits for a gzip member with a window of 32 KiB
# A gzip member's header without a name or a time, and "unknown" for the operating system (RFC 1952).
_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
# From here on, a body's own compressed bytes become a member of their own. Compressing 64 KB again takes 12
# times the CPU and saves a tenth; under this, what is lost between members is more than that.
_SPLICED = 32 * 1024
# Text in an object; what comes after begins another one. It bounds the memory that a batch takes.
_FULL = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Object:
    """An object of the archive: its key, its gzip data, and how many lines it holds."""

    key: str
    data: bytes
    lines: int


class Objects:
    """Objects being made of lines. All of them bear one name, in partitions of their own."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._open: dict[str, _Open] = {}
        self._cut: dict[str, int] = {}

    def add(self, line: Line) -> Iterator[Object]:
        """Add a line; yields the object that it has filled up, if it has."""
        gathered = self._open.get(line.partition)
        if gathered is None:
            gathered = self._open[line.partition] = _Open()
        gathered.add(line)
        if gathered.size >= _FULL:
            yield self._close(line.partition)

    def rest(self) -> Iterator[Object]:
        """The objects that are not full."""
        for partition in list(self._open):
            yield self._close(partition)

    def _close(self, partition: str) -> Object:
        gathered = self._open.pop(partition)
        part = self._cut[partition] = self._cut.get(partition, 0) + 1
        suffix = f"-{part}" if part > 1 else ""
        key = f"{partition}/{self._name}{suffix}.json.gz"
        return Object(key, gathered.data(), gathered.lines)


class _Open:
    """The data of one object so far: gzip members, one after the other, which every reader takes for one."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._member = _member()
        self.size = 0
        self.lines = 0

    def add(self, line: Line) -> None:
        self.lines += 1
        self.size += len(line.head) + len(line.body) + len(line.tail)
        if line.deflated is None or len(line.body) < _SPLICED:
            self._chunks.append(self._member.compress(line.text))
            return
        self._chunks += (
            self._member.compress(line.head),
            self._member.flush(),
            _HEADER,
            # zlib's stream is deflate's between a header of two bytes and a checksum of four (RFC 1950).
            line.deflated[2:-4],
            zlib.crc32(line.body).to_bytes(4, "little"),
            len(line.body).to_bytes(4, "little"),
        )
        self._member = _member()
        self._chunks.append(self._member.compress(line.tail))

    def data(self) -> bytes:
        self._chunks.append(self._member.flush())
        return b"".join(self._chunks)


def _member() -> zlib._Compress:
    return zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
