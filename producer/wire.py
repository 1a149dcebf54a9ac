"""SendMessageBatch over a connection of our own.

Of what a sender that uses botocore's client spends at 1 KB an event, most goes into looking up the endpoint,
walking the request's model, urllib3's layers and the parsing of headers as if they were mail; at 200 KB into
escaping text that the producer holds escaped already. So requests are put together, sent and answered here,
for about a third of the CPU. Connecting, with TLS and proxies, stays with the standard library, and finding
and refreshing credentials with botocore.
"""

import http.client
import io
import json
import select
import socket
import ssl
from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError

from producer.errors import ProducerError
from producer.messages import Bytes, Message
from producer.target import Target
from transport.responses import read_response
from transport.signing import Signer

CONNECT_TIMEOUT_SECONDS = 5
# botocore's own default: https://docs.aws.amazon.com/botocore/latest/reference/config.html
READ_TIMEOUT_SECONDS = 60

_HEADERS = {
    "content-type": "application/x-amz-json-1.0",
    "x-amz-target": "AmazonSQS.SendMessageBatch",
    "user-agent": "rt-pipeline-producer",
}
# Below this a request is cheaper to join than to hash and to send piece by piece.
_ONE_PIECE_BYTES = 65_536


class Refused(Exception):
    """SQS answered with an error. ``code`` is SQS's, such as ``QueueDoesNotExist``."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.status = status
        self.code = code
        self.message = message


class Unreachable(Exception):
    """No answer came. Unless ``never_connected``, SQS may have taken the messages all the same."""

    def __init__(self, endpoint: str, cause: Exception, *, never_connected: bool) -> None:
        super().__init__(f"{endpoint}: {_plain(cause)}")
        self.never_connected = never_connected


def request_body(queue_url: str, batch: Sequence[Message]) -> list[Bytes]:
    """The JSON of a SendMessageBatch request, in pieces. Ids of entries are their places in ``batch``."""
    pieces: list[Bytes] = [b'{"QueueUrl":', json.dumps(queue_url).encode(), b',"Entries":[']
    for place, message in enumerate(batch):
        pieces.append(b'%s{"Id":"%d","MessageBody":"' % (b"," if place else b"", place))
        pieces.extend(message.escaped)
        pieces.append(b'"}')
    pieces.append(b"]}")
    return pieces


class Connection:
    """One connection to SQS, opened when first needed and again whenever it was lost. Not thread-safe."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._signer = Signer(_host_header(target.endpoint), target.region, "sqs", _HEADERS)
        self._sock: socket.socket | None = None
        self._reader: io.BufferedReader | None = None

    def send_batch(self, batch: Sequence[Message]) -> dict[str, Any]:
        """Send up to 10 messages of 1 MiB in all. Returns SQS's answer: ``Successful`` and ``Failed``.

        Raises Refused, Unreachable, or ProducerError when there are no valid credentials.
        """
        body = request_body(self._target.queue_url, batch)
        status, answer = self._post(body)
        try:
            fields = json.loads(answer)
        except ValueError:
            fields = None
        if status == http.client.OK:
            if isinstance(fields, dict):
                return fields
            raise Unreachable(
                self._target.endpoint, ValueError("its answer is not SQS's"), never_connected=False
            )
        if not isinstance(fields, dict) or "__type" not in fields:
            raise Refused(status, f"HTTP {status}", answer[:200].decode("utf-8", "replace").strip())
        # "com.amazonaws.sqs#QueueDoesNotExist"; the text is under either spelling.
        code = str(fields["__type"]).rpartition("#")[2]
        raise Refused(status, code, str(fields.get("message") or fields.get("Message") or ""))

    def abort(self) -> None:
        """Break off a request that another thread is waiting for."""
        if sock := self._sock:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        if self._reader:
            self._reader.close()
        if self._sock:
            self._sock.close()
        self._sock = self._reader = None

    def _post(self, body: list[Bytes]) -> tuple[int, bytes]:
        length = sum(map(len, body))
        if length < _ONE_PIECE_BYTES or self._target.tls:
            body = [b"".join(body)]
        try:
            credentials = self._target.credentials.get_frozen_credentials()
        except BotoCoreError as error:
            raise ProducerError(f"The AWS credentials cannot be refreshed: {error}\nLog in again.") from None
        lines = [f"{name}: {value}\r\n" for name, value in self._signer.headers(body, credentials).items()]
        head = f"POST / HTTP/1.1\r\n{''.join(lines)}content-length: {length}\r\n\r\n".encode("latin-1")
        connected = False
        try:
            sock, reader = self._connected()
            connected = True
            _send(sock, [head, *body])
            response = read_response(reader)
        except (OSError, ValueError, http.client.HTTPException) as error:
            self.close()
            raise Unreachable(self._target.endpoint, error, never_connected=not connected) from error
        if not response.reusable:
            self.close()
        return response.status, response.body

    def _connected(self) -> tuple[socket.socket, io.BufferedReader]:
        # A server closes connections that it finds idle. To notice before sending saves a retry that could
        # not know whether the messages were taken.
        if self._sock and select.select([self._sock], [], [], 0)[0]:
            self.close()
        if not self._sock or not self._reader:
            self._sock = _connect(self._target)
            self._reader = self._sock.makefile("rb")
        return self._sock, self._reader


def _send(sock: socket.socket, pieces: list[Bytes]) -> None:
    if isinstance(sock, ssl.SSLSocket):
        sock.sendall(b"".join(pieces))
        return
    # A megabyte of events stays where the corpus has it until the system takes it.
    while pieces:
        taken = sock.sendmsg(pieces)
        while pieces and taken >= len(pieces[0]):
            taken -= len(pieces.pop(0))
        if taken:
            pieces[0] = memoryview(pieces[0])[taken:]


def _connect(target: Target) -> socket.socket:
    parts = urlsplit(target.endpoint)
    host, port = parts.hostname or "", parts.port
    connection: http.client.HTTPConnection
    if target.tls is None:
        connection = http.client.HTTPConnection(host, port, timeout=CONNECT_TIMEOUT_SECONDS)
    elif target.proxy is None:
        connection = http.client.HTTPSConnection(
            host, port, timeout=CONNECT_TIMEOUT_SECONDS, context=target.tls
        )
    else:
        proxy = urlsplit(target.proxy if "://" in target.proxy else f"http://{target.proxy}")
        login = f"{proxy.username}:{proxy.password or ''}" if proxy.username else ""
        connection = http.client.HTTPSConnection(
            proxy.hostname or "", proxy.port or 80, timeout=CONNECT_TIMEOUT_SECONDS, context=target.tls
        )
        connection.set_tunnel(
            host,
            port or 443,
            {"Proxy-Authorization": f"Basic {b64encode(login.encode()).decode()}"} if login else {},
        )
    connection.connect()
    sock: socket.socket = connection.sock
    sock.settimeout(READ_TIMEOUT_SECONDS)
    return sock


def _host_header(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    default = {"http": 80, "https": 443}[parts.scheme]
    # No user name, and no port where it goes without saying, as the signature is made over this.
    host = parts.netloc.rpartition("@")[2].lower()
    return host.removesuffix(f":{default}")


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
