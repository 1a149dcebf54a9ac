"""Train a dictionary, and compute what events take in the table with it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from processor.items import event_item
from processor.messages import Message
from processor.store import SHARED_ITEM_LIMIT
from storage import dictionary, zstd
from storage.payload import encode_payload
from storage.sizes import item_size
from tools.benchmarks.cost.model import write_units
from tools.core.errors import ToolError

# Twice as much saves 2% more bytes and takes a fifth more time.
_SIZE = 16 * 1024


@dataclass(frozen=True, slots=True)
class Stored:
    """The averages of some events: bytes of the payload, its share of the body, write units of the item."""

    bytes: float
    share: float
    write_units: float


def train(bodies: Sequence[bytes], number: int) -> bytes:
    """Return a dictionary for events like these. Raises ToolError."""
    try:
        return numbered(zstd.train_dictionary(bodies, _SIZE), number)
    except ValueError as error:
        raise ToolError(f"zstd could not make a dictionary of these events: {error}.") from None


def numbered(content: bytes, number: int) -> bytes:
    """Return a dictionary with its id in its header (RFC 8878, 5)."""
    return content[:4] + (dictionary.FIRST_ID + number).to_bytes(4, "little") + content[8:]


def write(content: bytes, number: int) -> Path:
    """Write a numbered dictionary to its file and return the path. Raises OSError."""
    path = dictionary.DIRECTORY / f"d{number}-{hashlib.sha256(content).hexdigest()[:12]}.zdict"
    path.write_bytes(content)
    return path


def stored(bodies: Sequence[bytes], content: bytes | None = None) -> Stored:
    """Return what valid events take with a dictionary, by default with the newest. Raises ToolError."""
    compress = zstd.compressor(zstd.LEVEL, zstd.load_dictionary(content)) if content else None
    now = datetime.now(UTC)
    sent = packed = units = count = 0
    for body in bodies:
        message = Message.read({"messageId": "0" * 36, "body": body.decode("utf-8", "replace")}, now)
        if not message.valid:
            continue
        data = compress(body) if compress else encode_payload(body).data
        item = event_item(message, large_order=False) | message.payload.inline() | {"payload": {"B": data}}
        size = item_size(item)
        units += write_units(size, transaction=size <= SHARED_ITEM_LIMIT)
        sent, packed, count = sent + len(body), packed + len(data), count + 1
    if not count:
        raise ToolError("None of these events is valid.", "docs/contract.md says what is valid.")
    return Stored(packed / count, packed / sent, units / count)
