"""SendMessageBatch over a signed connection, for about a third of the CPU time of botocore's client.

Requests are assembled from text that the producer has already escaped. The standard library connects, with
TLS and proxies; botocore finds and refreshes credentials.
"""

import http.client
import json
import socket
from base64 import b64encode
from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError

from aws_http.connection import ONE_PIECE_BYTES, Bytes, Connection, TransportError, host_header, open_socket
from aws_http.errors import AwsError
from aws_http.responses import Response
from aws_http.signing import Signer
from producer.errors import ProducerError
from producer.generate.messages import Message
from producer.send.target import Target

CONNECT_TIMEOUT_SECONDS = 5
# botocore's default: https://docs.aws.amazon.com/botocore/latest/reference/config.html
READ_TIMEOUT_SECONDS = 60

_HEADERS = {
    "content-type": "application/x-amz-json-1.0",
    "x-amz-target": "AmazonSQS.SendMessageBatch",
    "user-agent": "rt-pipeline-producer",
}


def request_body(queue_url: str, batch: Sequence[Message]) -> list[Bytes]:
    """Return the JSON of a SendMessageBatch request in pieces. Entry ids are positions in ``batch``."""
    pieces: list[Bytes] = [b'{"QueueUrl":', json.dumps(queue_url).encode(), b',"Entries":[']
    for position, message in enumerate(batch):
        pieces.append(b'%s{"Id":"%d","MessageBody":"' % (b"," if position else b"", position))
        pieces.extend(message.escaped)
        pieces.append(b'"}')
    pieces.append(b"]}")
    return pieces


class SqsClient:
    """One connection to SQS. It opens on first use and again after it was lost. Not thread-safe."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._signer = Signer(host_header(target.endpoint), target.region, "sqs", _HEADERS)
        self._connection = Connection(target.endpoint, partial(_connect, target))

    def send_batch(self, batch: Sequence[Message]) -> dict[str, Any]:
        """Send up to 10 messages of 1 MiB in total. Returns SQS's response: ``Successful`` and ``Failed``.

        Raises AwsError, TransportError, or ProducerError when there are no valid credentials.
        """
        response = self._post(request_body(self._target.queue_url, batch))
        try:
            fields = json.loads(response.body)
        except ValueError:
            fields = None
        if response.status == http.client.OK:
            if isinstance(fields, dict):
                return fields
            raise TransportError(
                self._target.endpoint, ValueError("the answer is not SQS's"), never_connected=False
            )
        if not isinstance(fields, dict) or "__type" not in fields:
            text = response.body[:200].decode("utf-8", "replace").strip()
            raise AwsError(f"HTTP {response.status}", text, status=response.status)
        # "com.amazonaws.sqs#QueueDoesNotExist"; SQS uses both spellings of "message".
        code = str(fields["__type"]).rpartition("#")[2]
        text = fields.get("message") or fields.get("Message") or f"HTTP {response.status}"
        raise AwsError(code, str(text), status=response.status)

    def abort(self) -> None:
        """Abort a request that another thread is waiting for."""
        self._connection.abort()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _post(self, body: list[Bytes]) -> Response:
        if self._target.tls or sum(map(len, body)) < ONE_PIECE_BYTES:
            body = [b"".join(body)]
        try:
            credentials = self._target.credentials.get_frozen_credentials()
        except BotoCoreError as error:
            raise ProducerError(
                f"The AWS credentials cannot be refreshed: {error}\nLog in again, for example: aws sso login"
            ) from None
        return self._connection.exchange(self._signer.headers(body, credentials), body)


def _connect(target: Target) -> socket.socket:
    if target.proxy is None or target.tls is None:
        return open_socket(target.endpoint, target.tls, CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS)
    parts = urlsplit(target.endpoint)
    proxy = urlsplit(target.proxy if "://" in target.proxy else f"http://{target.proxy}")
    login = f"{proxy.username}:{proxy.password or ''}" if proxy.username else ""
    connection = http.client.HTTPSConnection(
        proxy.hostname or "", proxy.port or 80, timeout=CONNECT_TIMEOUT_SECONDS, context=target.tls
    )
    connection.set_tunnel(
        parts.hostname or "",
        parts.port or 443,
        {"Proxy-Authorization": f"Basic {b64encode(login.encode()).decode()}"} if login else {},
    )
    connection.connect()
    sock: socket.socket = connection.sock
    sock.settimeout(READ_TIMEOUT_SECONDS)
    return sock
