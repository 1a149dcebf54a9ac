"""The events that a dictionary is trained on and judged by."""

import hashlib
import heapq
import json
from base64 import b64decode
from collections.abc import Iterable, Iterator
from pathlib import Path

from archiver.lines import EVENTS
from storage.payload import LARGEST_SMALL, SMALLEST
from tools.core import archive_objects
from tools.core.archive_objects import DamagedObject
from tools.core.errors import ToolError
from tools.core.resources import Resources

_MOST = 10_000
# zstd refuses to train on a few samples.
_FEWEST = 200
# Objects of the archive are read in another order until there is this much.
_READ_BYTES = 100 * 1024 * 1024


def of_file(name: str) -> list[bytes]:
    """Return the events of a file, one on each line, as `sampled` does. Raises ToolError."""
    try:
        with Path(name).open("rb") as file:
            lines = iter(lambda: file.readline(archive_objects.MAX_LINE_BYTES), b"")
            return sampled(line.strip() for line in lines)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ToolError(f"{name} cannot be read: {reason}.", "FROM= is archive or a file.") from None


def of_archive(resources: Resources) -> list[bytes]:
    """Return events of the archive, as `sampled` does. Raises ToolError."""
    if not resources.archive_bucket:
        raise ToolError("This pipeline has no archive.", "Use a file: make dictionary FROM=events.jsonl")
    return sampled(_archived(resources))


def sampled(bodies: Iterable[bytes]) -> list[bytes]:
    """Return up to 10,000 different events of the sizes that use a dictionary, in an order without meaning.

    Raises ToolError if they are fewer than 200.
    """
    hashed: dict[bytes, bytes] = {}
    for body in bodies:
        if SMALLEST <= len(body) <= LARGEST_SMALL:
            hashed[hashlib.sha256(body).digest()] = body
        if len(hashed) == 2 * _MOST:
            hashed = dict(heapq.nsmallest(_MOST, hashed.items()))
    chosen = [body for _, body in heapq.nsmallest(_MOST, hashed.items())]
    if len(chosen) < _FEWEST:
        raise ToolError(
            f"There are {len(chosen)} different events of {SMALLEST} to {LARGEST_SMALL:,} bytes; "
            f"a dictionary needs {_FEWEST} or more."
        )
    return chosen


def _archived(resources: Resources) -> Iterator[bytes]:
    s3, bucket = resources.client("s3"), resources.archive_bucket
    keys = (entry["Key"] for entry in archive_objects.listed(s3, bucket, f"{EVENTS}/"))
    left = _READ_BYTES
    for key in sorted(keys, key=lambda key: hashlib.sha256(key.encode()).digest()):
        try:
            for line in archive_objects.lines(archive_objects.read(s3, bucket, key)):
                left -= len(line)
                yield _body(line)
        except DamagedObject:
            continue  # `make verify` reports it
        if left < 0:
            return


def _body(line: bytes) -> bytes:
    """Return the event of a line of the archive: its bytes in base64, or the text of its last member."""
    if b'"body_base64":"' in line:
        try:
            return b64decode(json.loads(line)["body_base64"])
        except (ValueError, KeyError, TypeError):
            return b""
    return line.partition(b',"event":')[2][:-1]
