"""Reads HTTP/1.1 responses.

http.client reads their headers with the parser for mail, which takes longer than all the rest, and a function
that imports it starts later.
"""

import io
from typing import NamedTuple

_LONGEST_LINE = 65_536


class Response(NamedTuple):
    """A response. Header names are in lower case; ``reusable`` says that the connection stays open."""

    status: int
    headers: dict[str, str]
    body: bytes
    reusable: bool


def read_response(reader: io.BufferedReader) -> Response:
    """Read a response.

    Raises OSError or ValueError if there is none, or only a part of one.
    """
    status = 100
    while 100 <= status < 200:
        version, code, *_ = _line(reader).split(maxsplit=2)
        status = int(code)
        headers = {}
        while line := _line(reader):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
    reusable = version == b"HTTP/1.1" and headers.get("connection", "").lower() != "close"
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return Response(status, headers, _chunks(reader), reusable)
    if "content-length" not in headers:
        return Response(status, headers, reader.read(), False)
    return Response(status, headers, _exactly(reader, int(headers["content-length"])), reusable)


def _line(reader: io.BufferedReader) -> bytes:
    line = reader.readline(_LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise ConnectionResetError("the connection was closed before an answer came")
    return line.strip()


def _chunks(reader: io.BufferedReader) -> bytes:
    chunks = []
    while size := int(_line(reader).partition(b";")[0], 16):
        chunks.append(_exactly(reader, size))
        _line(reader)
    while _line(reader):
        pass  # trailers
    return b"".join(chunks)


def _exactly(reader: io.BufferedReader, length: int) -> bytes:
    data = reader.read(length)
    if len(data) < length:
        raise ConnectionResetError(
            f"the connection was closed {length - len(data)} bytes before the answer's end"
        )
    return data
