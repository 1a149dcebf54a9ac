from __future__ import annotations

import io

import pytest

from aws_http.responses import Response, read_response


def response(raw: bytes) -> Response:
    return read_response(io.BufferedReader(io.BytesIO(raw)))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}more", (200, b"{}", True)),
        (b"HTTP/1.1 200 OK\r\ncontent-length:2\r\nConnection: Close\r\n\r\n{}", (200, b"{}", False)),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", (200, b"{}", False)),
        (b"HTTP/1.1 500\r\n\r\nuntil the end", (500, b"until the end", False)),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", (200, b"", True)),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=1\r\nde\r\n0\r\n\r\n",
            (200, b"abcde", True),
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nTrailer: x\r\n\r\n",
            (200, b"a", True),
        ),
    ],
    ids=["length", "close", "1.0", "to the end", "continue", "chunked", "trailer"],
)
def test_responses_are_read_as_http_says(raw: bytes, expected: tuple[int, bytes, bool]) -> None:
    read = response(raw)
    assert (read.status, read.body, read.reusable) == expected


def test_names_of_headers_are_read_in_small_letters() -> None:
    read = response(b"HTTP/1.1 200 OK\r\nX-Amz-Crc32: 7\r\nContent-Length: 0\r\n\r\n")
    assert read.headers == {"x-amz-crc32": "7", "content-length": "0"}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_half_a_response_is_no_response(raw: bytes) -> None:
    with pytest.raises((ValueError, OSError)):
        response(raw)
