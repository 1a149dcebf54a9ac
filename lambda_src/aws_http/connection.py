"""One HTTP/1.1 connection to an AWS endpoint, kept open between requests."""

import io
import select
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from aws_http.responses import Response, read_response

Bytes = bytes | memoryview
# Below this size, joining a request's pieces costs less than sending each.
ONE_PIECE_BYTES = 65_536


class TransportError(Exception):
    """No answer came. Unless ``never_connected``, the request may have taken effect."""

    def __init__(self, endpoint: str, cause: Exception, *, never_connected: bool) -> None:
        super().__init__(f"{endpoint}: {_plain(cause)}")
        self.never_connected = never_connected


class Connection:
    """A connection that ``connect`` opens when it is first needed, and again after a loss. Not thread-safe.

    ``connect`` returns a connected socket with its read timeout set.
    """

    def __init__(self, endpoint: str, connect: Callable[[], socket.socket]) -> None:
        self._endpoint = endpoint
        self._connect = connect
        self._sock: socket.socket | None = None
        self._reader: io.BufferedReader | None = None

    def exchange(self, headers: dict[str, str], body: Sequence[Bytes]) -> Response:
        """POST to ``/`` and return the answer. ``body`` is a sequence of pieces. Raises TransportError."""
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
        length = sum(map(len, body))
        head = f"POST / HTTP/1.1\r\n{lines}content-length: {length}\r\n\r\n".encode("latin-1")
        connected = False
        try:
            sock, reader = self._connected()
            connected = True
            _send(sock, head, body, length)
            response = read_response(reader)
        except (OSError, ValueError) as error:
            self.close()
            raise TransportError(self._endpoint, error, never_connected=not connected) from error
        except BaseException:
            # Otherwise the next request would read this one's answer.
            self.close()
            raise
        if not response.reusable:
            self.close()
        return response

    def abort(self) -> None:
        """Abort a request that another thread is waiting for."""
        if sock := self._sock:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection. The next request opens another."""
        if self._reader:
            self._reader.close()
        if self._sock:
            self._sock.close()
        self._sock = self._reader = None

    def _connected(self) -> tuple[socket.socket, io.BufferedReader]:
        # Servers close idle connections. Detecting that before sending avoids a retry of a request that may
        # have taken effect.
        if self._sock and select.select([self._sock], [], [], 0)[0]:
            self.close()
        if not self._sock or not self._reader:
            self._sock = self._connect()
            self._reader = self._sock.makefile("rb")
        return self._sock, self._reader


def host_header(endpoint: str) -> str:
    """Return an endpoint's Host header: without user name, and without the default port, as it is signed."""
    parts = urlsplit(endpoint)
    default = {"http": 80, "https": 443}[parts.scheme]
    return parts.netloc.rpartition("@")[2].lower().removesuffix(f":{default}")


def open_socket(
    endpoint: str, tls: ssl.SSLContext | None, connect_timeout: float, read_timeout: float
) -> socket.socket:
    """Return a socket connected to an endpoint, without TLS if ``tls`` is None. Timeouts are in seconds.

    Raises OSError.
    """
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    plain = socket.create_connection((host, parts.port or (443 if tls else 80)), connect_timeout)
    try:
        # Otherwise the second piece of a request waits for an acknowledgement of the first.
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock = tls.wrap_socket(plain, server_hostname=host) if tls else plain
    except BaseException:
        plain.close()
        raise
    sock.settimeout(read_timeout)
    return sock


def _send(sock: socket.socket, head: bytes, body: Sequence[Bytes], length: int) -> None:
    if length < ONE_PIECE_BYTES or isinstance(sock, ssl.SSLSocket):
        sock.sendall(b"".join([head, *body]))
        return
    # Large pieces are sent without being copied first.
    pieces = [head, *body]
    while pieces:
        taken = sock.sendmsg(pieces)
        while pieces and taken >= len(pieces[0]):
            taken -= len(pieces.pop(0))
        if taken:
            pieces[0] = memoryview(pieces[0])[taken:]


def _plain(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused, nothing listens there"
    if isinstance(error, socket.gaierror):
        return "no such host"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error) or type(error).__name__
