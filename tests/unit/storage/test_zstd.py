from __future__ import annotations

import subprocess
import sys

import pytest

from storage import zstd

TEXT = b'{"event_id":"8f14e45f"}' * 100


def frame(data: bytes = TEXT) -> bytes:
    return zstd.compress(data, 3)


def test_a_frame_returns_what_was_compressed() -> None:
    assert zstd.decompress(frame(), len(TEXT)) == TEXT
    assert b"".join(zstd.decompress_chunks(frame() + frame(b""))) == TEXT


def test_a_compressor_writes_one_frame_after_another() -> None:
    compress = zstd.compressor(3)
    for data in (TEXT, b"", TEXT[::-1]):
        assert zstd.decompress(compress(data), len(TEXT)) == data


def test_a_stream_compressor_writes_one_frame_in_pieces() -> None:
    compressor = zstd.stream_compressor(3)
    pieces = compressor.compress(TEXT) + compressor.compress(TEXT) + compressor.flush()
    assert zstd.decompress(pieces, 2 * len(TEXT)) == TEXT * 2


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "its end is missing"),
        (frame()[:-1], "its end is missing"),
        (b"x" + frame(), "(?i)unknown frame"),
        (frame() + b"x", "something follows its end"),
        (frame(TEXT * 1000), "it has more than 2,300 bytes"),
    ],
    ids=["empty", "cut", "no frame", "tail", "too large"],
)
def test_a_damaged_frame_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(zstd.DamagedFrame, match=reason):
        zstd.decompress(data, len(TEXT))


@pytest.mark.parametrize("data", [frame()[:-1], b"x" + frame(), frame() + b"x"])
def test_damaged_frames_are_refused_in_pieces(data: bytes) -> None:
    with pytest.raises(zstd.DamagedFrame):
        list(zstd.decompress_chunks(data))


def test_a_frame_that_asks_for_much_memory_is_refused() -> None:
    # RFC 8878, 3.1.1.1: magic, no size, a window of 2 GiB, one empty last block.
    hostile = bytes.fromhex("28b52ffd00a8010000")
    with pytest.raises(zstd.DamagedFrame, match=r"(?i)memory"):
        zstd.decompress(hostile, len(TEXT))


def test_chunks_of_a_bomb_are_small() -> None:
    chunks = zstd.decompress_chunks(zstd.compress(bytes(100 * 1024 * 1024), 3))
    assert max(len(next(chunks)) for _ in range(3)) <= 1024 * 1024


def test_a_python_without_zstd_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['compression.zstd'] = sys.modules['backports.zstd'] = None\n"
        "from storage import zstd; assert not zstd.available(); zstd.compress(b'', 3)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "ZstdMissing: this Python has no zstd: use Python 3.14, or install backports.zstd" in answer.stderr
