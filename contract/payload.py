"""The body of a message, made as small as it gets, and back again byte for byte.

A packed payload is a handful of item attributes:

``payload``           the bytes (B), or
``payload_key``       the S3 key where they lie (the claim-check pattern), when the item would pass 400 KB
``payload_encoding``  ``identity``, ``zlib``, or ``zlib-d1``: zlib with the dictionary ``D1``
``payload_bytes``     the size of the body as sent, in UTF-8 bytes (N)
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from contract.dictionary import D1

# zlib level 1 takes a third of level 6's time and packs JSON 2 percentage points worse; `make bench`.
_LEVEL = 1
# Under this, zlib's own header and tables eat what it saves.
_WORTH_TRYING = 128
# Up to here a dictionary saves more than level 6 takes time: 1 KB packs to 0.5 KB instead of 0.6, which makes
# one write unit of an item instead of two.
_SMALL, _SMALL_LEVEL = 8 * 1024, 6
_DICTIONARIES = {"zlib": b"", "zlib-d1": D1}


@dataclass(frozen=True, slots=True)
class Payload:
    """A message body ready to be stored."""

    data: bytes
    encoding: str
    body_bytes: int

    def inline(self) -> dict[str, Any]:
        """Item attributes that hold the payload itself, as boto3's client takes them."""
        return {"payload": {"B": self.data}, **self._description()}

    def claim_check(self, key: str) -> dict[str, Any]:
        """Item attributes that point to the payload in S3."""
        return {"payload_key": {"S": key}, **self._description()}

    def _description(self) -> dict[str, Any]:
        return {"payload_encoding": {"S": self.encoding}, "payload_bytes": {"N": str(self.body_bytes)}}


def pack(body: bytes) -> Payload:
    """Compress a body when that makes it smaller."""
    if len(body) >= _WORTH_TRYING:
        small = len(body) <= _SMALL
        packed = _with_dictionary(body) if small else zlib.compress(body, _LEVEL)
        if len(packed) < len(body):
            return Payload(packed, "zlib-d1" if small else "zlib", len(body))
    return Payload(body, "identity", len(body))


def _with_dictionary(body: bytes) -> bytes:
    packer = zlib.compressobj(_SMALL_LEVEL, zdict=D1)
    return packer.compress(body) + packer.flush()


def key_of(content_hash: str, *, rejected: bool) -> str:
    """The S3 key of a payload: its content's hash, so that writing it twice writes the same object.

    Rejected payloads lie apart, because they expire with their item (terraform/payloads.tf).
    """
    return f"payloads/{'rejected/' if rejected else ''}{content_hash}"


def unpack(item: Mapping[str, Any], fetch: Callable[[str], bytes]) -> bytes:
    """The body as it was sent, from an item with plain values (bytes, str) or boto3's typed ones.

    ``fetch`` reads an object of the payload bucket by its key; what it raises passes through. Raises
    ValueError when the payload is damaged or its encoding unknown.
    """
    names = {"payload", "payload_key", "payload_encoding"} & set(item)
    plain = {name: _plain(item[name]) for name in names}
    data = bytes(plain["payload"]) if "payload" in plain else fetch(plain["payload_key"])
    encoding = plain["payload_encoding"]
    if encoding == "identity":
        return data
    if encoding not in _DICTIONARIES:
        raise ValueError(f"unknown payload encoding {encoding!r}")
    unpacker = zlib.decompressobj(zdict=_DICTIONARIES[encoding])
    try:
        body = unpacker.decompress(data)
    except zlib.error as error:
        raise ValueError(f"the payload is damaged: {error}") from error
    if not unpacker.eof:
        raise ValueError("the payload is damaged: its end is missing")
    return body


def _plain(value: Any) -> Any:
    # boto3's resource API wraps bytes in Binary; the client API wraps everything in {"S": ...}.
    if isinstance(value, Mapping):
        (value,) = value.values()
    return getattr(value, "value", value)
