"""The payload codec: compress the body of a message for storage, and return it byte for byte.

An encoded payload is a handful of item attributes:

``payload``           the bytes (B), or
``payload_key``       the key of an S3 object that holds them (a claim check), if the item would exceed 400 KB
``payload_encoding``  ``identity``, ``zstd``, or ``zstd-dN``: zstd with dictionary N (`storage.dictionary`).
                      Earlier versions, and a Python without zstd, write ``zlib``, or ``zlib-d1``: zlib with
                      the dictionary ``D1``
``payload_bytes``     the size of the body as sent, in UTF-8 bytes (N)
"""

import zlib
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any, NamedTuple

from storage import dictionary, zstd
from storage.attributes import PAYLOAD, PAYLOAD_BYTES, PAYLOAD_ENCODING, PAYLOAD_KEY
from storage.dictionary import D1
from storage.keys import PAYLOAD_PREFIX, payload_key
from storage.sizes import ITEM_LIMIT, Item, item_size

IDENTITY = "identity"
ZLIB = "zlib"
ZLIB_D1 = "zlib-d1"

ZSTD = "zstd"
_ZSTD_WITH_DICTIONARY = "zstd-d"

# Below this, the headers of a frame cost more than compression saves.
SMALLEST = 128
# Up to this size a dictionary pays: 1 KB becomes 0.5 KB instead of 0.6, one write unit less.
LARGEST_SMALL = 8 * 1024
# For zlib level 1 takes a third of level 6's time for 2 percentage points more.
_ZLIB_LEVEL, _ZLIB_SMALL_LEVEL = 1, 6
# Twice what SQS accepts (SQS developer guide, "Message quotas"): a longer body is a compression bomb.
MAX_BODY_BYTES = 2 * 1024 * 1024
_MAX_KEY_BYTES = 1024
# The dictionary and a small body fit a window of 16 KiB. A smaller window and less memory are set up faster.
_SMALL_WINDOW, _SMALL_MEMORY = 14, 6
_ZLIB_DICTIONARIES = {ZLIB: b"", ZLIB_D1: D1}


class Payload(NamedTuple):
    """An encoded body. ``body_bytes`` is the size of the body before encoding."""

    data: bytes
    encoding: str
    body_bytes: int

    @property
    def needs_s3(self) -> bool:
        """Whether the payload may not fit its item: everything else in an item takes less than half of it."""
        return len(self.data) > ITEM_LIMIT // 2

    def inline(self) -> Item:
        """Return the item attributes that hold the payload."""
        return {PAYLOAD: {"B": self.data}, **self._description()}

    def claim_check(self, key: str) -> Item:
        """Return the item attributes that point to the payload in S3."""
        return {PAYLOAD_KEY: {"S": key}, **self._description()}

    def _description(self) -> Item:
        return {PAYLOAD_ENCODING: {"S": self.encoding}, PAYLOAD_BYTES: {"N": str(self.body_bytes)}}


def encode_payload(body: bytes) -> Payload:
    """Compress a body if that makes it smaller."""
    if len(body) >= SMALLEST:
        encoding, compress = _compressor(len(body) <= LARGEST_SMALL)
        data = compress(body)
        if len(data) < len(body):
            return Payload(data, encoding, len(body))
    return Payload(body, IDENTITY, len(body))


@cache
def _compressor(small: bool) -> tuple[str, Callable[[bytes], bytes]]:
    """Return the encoding of small or of large bodies, and what compresses them."""
    if not zstd.available():
        return (
            (ZLIB_D1, _zlib_with_dictionary) if small else (ZLIB, partial(zlib.compress, level=_ZLIB_LEVEL))
        )
    if small:
        newest = max(dictionary.numbered())
        return f"{_ZSTD_WITH_DICTIONARY}{newest}", zstd.compressor(zstd.LEVEL, _zstd_dictionary(newest))
    return ZSTD, zstd.compressor(zstd.LEVEL)


@cache
def _zstd_dictionary(number: int) -> Any:
    return zstd.load_dictionary(dictionary.numbered()[number].read_bytes())


def _zlib_with_dictionary(body: bytes) -> bytes:
    compressor = zlib.compressobj(_ZLIB_SMALL_LEVEL, zlib.DEFLATED, _SMALL_WINDOW, _SMALL_MEMORY, zdict=D1)
    return compressor.compress(body) + compressor.flush()


def add_payload(
    item: Item, payload: Payload, content_hash: str, *, rejected: bool
) -> tuple[Item, str | None]:
    """Add a payload to an item: inline if it fits, else as a claim check.

    Returns the item, and the S3 key under which the payload must be stored first, or None.
    """
    whole = {**item, **payload.inline()}
    if not payload.needs_s3 or item_size(whole) <= ITEM_LIMIT:
        return whole, None
    key = payload_key(content_hash, payload.encoding, rejected=rejected)
    return {**item, **payload.claim_check(key)}, key


def decode_payload(item: Mapping[str, Any], fetch: Callable[[str], bytes]) -> bytes:
    """Return the body as it was sent, from an item with plain values (bytes, str) or DynamoDB's typed ones.

    ``fetch`` reads an object of the payload bucket by its key; what it raises passes through. Raises
    ValueError if the payload is damaged, its encoding unknown or its body longer than SQS accepts, and
    KeyError if an attribute is missing.
    """
    names = {PAYLOAD, PAYLOAD_KEY, PAYLOAD_ENCODING} & set(item)
    plain = {name: _plain(item[name]) for name in names}
    data = plain[PAYLOAD] if PAYLOAD in plain else fetch(_key(plain[PAYLOAD_KEY]))
    if not isinstance(data, bytes | bytearray):
        raise ValueError("the payload is damaged: it is not binary")  # noqa: TRY004 - as other damage
    data, encoding = bytes(data), plain[PAYLOAD_ENCODING]
    if encoding == IDENTITY:
        return _bounded(data)
    if not isinstance(encoding, str):
        raise ValueError(f"unknown payload encoding {str(encoding)[:40]!r}")  # noqa: TRY004 - as other damage
    if encoding in _ZLIB_DICTIONARIES:
        return _unpack_zlib(data, _ZLIB_DICTIONARIES[encoding])
    try:
        return zstd.decompress(data, MAX_BODY_BYTES, _dictionary_of(encoding))
    except zstd.DamagedFrame as damage:
        raise ValueError(f"the payload is damaged: {damage}") from None


def _dictionary_of(encoding: str) -> Any:
    if encoding == ZSTD:
        return None
    known = {f"{_ZSTD_WITH_DICTIONARY}{number}": number for number in dictionary.numbered()}
    if encoding not in known:
        raise ValueError(f"unknown payload encoding {encoding[:40]!r}")
    return _zstd_dictionary(known[encoding])


def _unpack_zlib(data: bytes, preset: bytes) -> bytes:
    decompressor = zlib.decompressobj(zdict=preset)
    try:
        body = _bounded(decompressor.decompress(data, MAX_BODY_BYTES + 1))
    except zlib.error as error:
        raise ValueError(f"the payload is damaged: {error}") from error
    if not decompressor.eof:
        raise ValueError("the payload is damaged: its end is missing")
    return body


def _bounded(body: bytes) -> bytes:
    if len(body) > MAX_BODY_BYTES:
        raise ValueError(f"the payload is damaged: its body has more than {MAX_BODY_BYTES:,} bytes")
    return body


def _key(key: Any) -> str:
    # S3 would refuse other keys with errors that look like failures of S3, so that a retry never ends.
    if not isinstance(key, str) or not key.startswith(PAYLOAD_PREFIX) or len(key.encode()) > _MAX_KEY_BYTES:
        raise ValueError(f"its payload_key is {str(key)[:40]!r}")
    return key


def _plain(value: Any) -> Any:
    # boto3's resource API wraps bytes in Binary; the client API wraps everything in {"S": ...}.
    if isinstance(value, Mapping):
        (value,) = value.values()
    return getattr(value, "value", value)
