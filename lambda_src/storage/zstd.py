"""zstd of Python's standard library, or its backport, or none.

``compression.zstd`` is new in Python 3.14, and AWS's first images of that runtime lacked it.
``backports.zstd`` is the same module for older versions of Python.
"""

import importlib
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any

# At level 3, 200 KB take half the time of zlib's level 1 and become a sixth smaller (docs/adr/0036).
LEVEL = 3
# The tables of a dictionary have fewer bytes.
_TABLES = 2048
# A frame that asks for a window of more than 8 MiB is refused.
_MAX_WINDOW_LOG = 23
_CHUNK = 1024 * 1024


class ZstdMissing(RuntimeError):
    """This Python has no zstd."""

    def __init__(self) -> None:
        super().__init__(
            "this Python has no zstd: use Python 3.14, or install backports.zstd (pip install backports.zstd)"
        )


class DamagedFrame(ValueError):
    """Data that is no complete zstd frame, or too large; the message says why."""


def _import() -> ModuleType | None:
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None


_module = _import()


def available() -> bool:
    """Whether this Python can compress and decompress zstd."""
    return _module is not None


def version() -> str:
    """Return the version of zstd itself. Raises ZstdMissing."""
    return str(_zstd().zstd_version)


def load_dictionary(content: bytes) -> Any:
    """Return a dictionary for the other functions, from the content of its file. Raises ZstdMissing."""
    return _zstd().ZstdDict(content)


def train_dictionary(samples: Sequence[bytes], size: int) -> bytes:
    """Return a dictionary of at most ``size`` bytes, trained on samples.

    Raises ZstdMissing, and ValueError if the samples are too few.
    """
    zstd = _zstd()
    try:
        return bytes(zstd.train_dict(samples, size).dict_content)
    except zstd.ZstdError as error:
        raise ValueError(str(error)) from None


def finalize_dictionary(text: bytes, samples: Sequence[bytes]) -> bytes:
    """Return a dictionary of a text, with tables made from samples. Raises ZstdMissing."""
    zstd = _zstd()
    raw = zstd.ZstdDict(text, is_raw=True)
    return bytes(zstd.finalize_dict(raw, samples, len(text) + _TABLES, LEVEL).dict_content)


def compressor(level: int, dictionary: Any = None) -> Callable[[bytes], bytes]:
    """Return a function that compresses data into one frame with its size. Raises ZstdMissing.

    It keeps one compressor, which saves most of the time that a small frame takes. It is not thread-safe.
    """
    zstd = _zstd()
    kept = zstd.ZstdCompressor(level=level, zstd_dict=dictionary)
    end = zstd.ZstdCompressor.FLUSH_FRAME

    def compress(data: bytes) -> bytes:
        return bytes(kept.compress(data, end))

    return compress


def compress(data: bytes, level: int) -> bytes:
    """Compress data into one frame. Raises ZstdMissing."""
    return bytes(_zstd().compress(data, level))


def stream_compressor(level: int) -> Any:
    """Return a compressor with ``compress(data)`` and ``flush()``, as zlib's. Raises ZstdMissing."""
    return _zstd().ZstdCompressor(level=level)


def decompress(data: bytes, limit: int, dictionary: Any = None) -> bytes:
    """Return the content of one frame. Raises DamagedFrame, also if it has more than ``limit`` bytes."""
    zstd = _zstd()
    try:
        decompressor = _decompressor(zstd, dictionary)
        content = bytes(decompressor.decompress(data, limit + 1))
    except zstd.ZstdError as error:
        raise DamagedFrame(str(error)) from None
    if len(content) > limit:
        raise DamagedFrame(f"it has more than {limit:,} bytes")
    if not decompressor.eof:
        raise DamagedFrame("its end is missing")
    if decompressor.unused_data:
        raise DamagedFrame("something follows its end")
    return content


def decompress_chunks(data: bytes) -> Iterator[bytes]:
    """Yield the content of one or more frames in pieces of at most 1 MiB. Raises DamagedFrame."""
    zstd = _zstd()
    while data:
        try:
            decompressor = _decompressor(zstd, None)
            while not decompressor.eof:
                chunk = bytes(decompressor.decompress(data, _CHUNK))
                data = b""
                if not chunk and decompressor.needs_input and not decompressor.eof:
                    raise DamagedFrame("its end is missing")
                yield chunk
        except zstd.ZstdError as error:
            raise DamagedFrame(str(error)) from None
        data = decompressor.unused_data


def _decompressor(zstd: ModuleType, dictionary: Any) -> Any:
    options = {zstd.DecompressionParameter.window_log_max: _MAX_WINDOW_LOG}
    return zstd.ZstdDecompressor(zstd_dict=dictionary, options=options)


def _zstd() -> ModuleType:
    if _module is None:
        raise ZstdMissing
    return _module
