"""One HTTP/1.1 connection to an endpoint of AWS, kept open from request to request."""

import io
import select
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from aws_http.responses import Response, read_response

Bytes = bytes | memoryview
# Below this a request is cheaper to join than to hash and to send piece by piece.
ONE_PIECE_BYTES = 65_536


class TransportError(Exception):
    """No answer came. Unless ``never_connected``, what was asked may have been done all the same."""

    def __init__(self, endpoint: str, cause: Exception, *, never_connected: bool) -> None:
        super().__init__(f"{endpoint}: {_plain(cause)}")
        self.never_connected = never_connected


class Connection:
    """Opened by ``connect`` when first needed, and again whenever it was lost. Not thread-safe.

    ``connect`` gives a connected socket, its timeout set to the longest that a read may take.
    """

    def __init__(self, endpoint: str, connect: Callable[[], socket.socket]) -> None:
        self._endpoint = endpoint
        self._connect = connect
        self._sock: socket.socket | None = None
        self._reader: io.BufferedReader | None = None

    def exchange(self, headers: dict[str, str], body: Sequence[Bytes]) -> Response:
        """POST to ``/`` and read the answer. ``body`` is in pieces, in their order. Raises NoAnswer."""
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
            # The next request is not to read this one's answer.
            self.close()
            raise
        if not response.reusable:
            self.close()
        return response

    def abort(self) -> None:
        """Break off a request that another thread is waiting for."""
        if sock := self._sock:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._reader:
            self._reader.close()
        if self._sock:
            self._sock.close()
        self._sock = self._reader = None

    def _connected(self) -> tuple[socket.socket, io.BufferedReader]:
        # A server closes connections that it finds idle. To notice before sending saves a retry that could
        # not know whether the request was taken.
        if self._sock and select.select([self._sock], [], [], 0)[0]:
            self.close()
        if not self._sock or not self._reader:
            self._sock = self._connect()
            self._reader = self._sock.makefile("rb")
        return self._sock, self._reader


def host_header(endpoint: str) -> str:
    """An endpoint's Host: no user name, and no port where it goes without saying, as the signature has it."""
    parts = urlsplit(endpoint)
    default = {"http": 80, "https": 443}[parts.scheme]
    return parts.netloc.rpartition("@")[2].lower().removesuffix(f":{default}")


def open_socket(
    endpoint: str, tls: ssl.SSLContext | None, connect_timeout: float, read_timeout: float
) -> socket.socket:
    """A socket connected to an endpoint, in plain where ``tls`` is None. Timeouts are in seconds.

    Raises OSError.
    """
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    plain = socket.create_connection((host, parts.port or (443 if tls else 80)), connect_timeout)
    try:
        # A request in several pieces is not to wait for the answer to its first.
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
    # What is large stays where it is until the system takes it.
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
