"""Sends a botocore client's requests over a connection of our own.

Of the CPU time that a request takes, botocore's signer, urllib3 and the mail parser for headers are most. Its
events let others sign and send: a first try that DynamoDB answers with success never enters botocore's HTTP
layers; whatever else comes of it is handed to botocore as if it had asked itself, so that retries, errors and
what is in an answer stay botocore's.
"""

from __future__ import annotations

import http.client
import io
import json
import select
import socket
import ssl
import zlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import botocore
from botocore.awsrequest import AWSResponse
from botocore.exceptions import (
    BotoCoreError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
)
from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies

from transport.responses import Response, read_response
from transport.signing import Signer

# What is signed beside the host and the time. botocore signs more; AWS asks for these.
_SIGNED = ("content-type", "x-amz-target")
# Below this a request is cheaper to copy behind its headers than to send in two pieces.
_ONE_PIECE_BYTES = 65_536


def send_directly(client: Any, session: Any, timeout: float) -> None:
    """Let a client of DynamoDB or SNS, of which every request is a POST to ``/``, send directly.

    ``timeout`` is in seconds, for connecting and again for each read. Where a proxy or a path is in the way,
    or there are no credentials, the client is left as it is.
    """
    endpoint: str = client.meta.endpoint_url
    credentials = session.get_credentials()
    if credentials is None or get_environ_proxies(endpoint) or urlsplit(endpoint).path not in ("", "/"):
        return
    sender = _Sender(client, credentials, session.get_config_variable("ca_bundle"), timeout)
    service = client.meta.service_model.service_id.hyphenize()
    client.meta.events.register(f"choose-signer.{service}", sender.leave_unsigned)
    client.meta.events.register(f"before-send.{service}", sender.send)
    if service == "dynamodb":
        # After all that others have to say of a request.
        client.meta.events.register_last("before-call", sender.try_first)


class _Sender:
    """One connection, opened when first needed and again whenever it was lost. Not thread-safe."""

    def __init__(self, client: Any, credentials: Any, ca_bundle: str | None, timeout: float) -> None:
        self._credentials = credentials
        self._ca_bundle = ca_bundle
        self._region: str = client.meta.region_name
        self._service: str = client.meta.service_model.signing_name
        self._timeout = timeout
        self._signers: dict[tuple[str, ...], Signer] = {}
        self._tls: ssl.SSLContext | None = None
        self._origin = ""
        self._sock: socket.socket | None = None
        self._reader: io.BufferedReader | None = None
        # What came of a first try that botocore has not been told yet.
        self._untold: AWSResponse | BotoCoreError | None = None

    def leave_unsigned(self, **_: Any) -> Any:
        return botocore.UNSIGNED

    def try_first(self, params: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]] | None:
        """Handles ``before-call``: sends, and answers the call with success, or leaves it to botocore."""
        try:
            self._untold = answer = self._send(params["url"], params["headers"], params["body"])
        except BotoCoreError as error:
            self._untold = error
            return None
        fields = _fields(answer)
        if fields is None:
            return None
        self._untold = None
        return answer, fields | {"ResponseMetadata": {"HTTPStatusCode": http.client.OK, "RetryAttempts": 0}}

    def send(self, request: Any, **_: Any) -> AWSResponse:
        """Handles ``before-send``: what came of the first try, if anything did, else sends.

        Raises what botocore's own HTTP session would.
        """
        untold, self._untold = self._untold, None
        if isinstance(untold, BotoCoreError):
            raise untold
        return untold or self._send(request.url, request.headers, request.body)

    def _send(self, url: str, headers: Mapping[str, Any], body: bytes | str) -> AWSResponse:
        content = body.encode() if isinstance(body, str) else body
        response = self._exchange(url, self._head(url, headers, content), content)
        answer = AWSResponse(url, response.status, response.headers, None)
        answer._content = response.body
        return answer

    def _head(self, url: str, headers: Mapping[str, Any], body: bytes) -> bytes:
        given = {
            name.lower(): value.decode("latin-1") if isinstance(value, bytes) else value
            for name, value in headers.items()
        }
        host = urlsplit(url).netloc
        signed = {name: given[name] for name in _SIGNED if name in given}
        key = (host, *signed.values())
        if key not in self._signers:
            self._signers[key] = Signer(host, self._region, self._service, signed)
        given |= self._signers[key].headers([body], self._credentials.get_frozen_credentials())
        given |= {"accept-encoding": "identity", "content-length": str(len(body))}
        lines = "".join([f"{name}: {value}\r\n" for name, value in given.items()])
        return f"POST / HTTP/1.1\r\n{lines}\r\n".encode("latin-1")

    def _exchange(self, url: str, head: bytes, body: bytes) -> Response:
        try:
            sock, reader = self._connected(url)
        except TimeoutError as error:
            raise ConnectTimeoutError(endpoint_url=url, error=error) from error
        except OSError as error:
            raise EndpointConnectionError(endpoint_url=url, error=error) from error
        try:
            if len(body) < _ONE_PIECE_BYTES:
                sock.sendall(head + body)
            else:
                sock.sendall(head)
                sock.sendall(body)
            response = read_response(reader)
        except TimeoutError as error:
            self._close()
            raise ReadTimeoutError(endpoint_url=url, error=error) from error
        except (ConnectionError, http.client.HTTPException) as error:
            self._close()
            raise ConnectionClosedError(endpoint_url=url, error=error) from error
        except (OSError, ValueError) as error:
            self._close()
            raise HTTPClientError(error=error) from error
        except BaseException:
            # The next request is not to read this one's answer.
            self._close()
            raise
        if not response.reusable:
            self._close()
        return response

    def _connected(self, url: str) -> tuple[socket.socket, io.BufferedReader]:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        # A server closes connections that it finds idle. To notice before sending saves a retry.
        if self._sock and (origin != self._origin or select.select([self._sock], [], [], 0)[0]):
            self._close()
        if not self._sock or not self._reader:
            connection: http.client.HTTPConnection
            host, port = parts.hostname or "", parts.port
            if parts.scheme == "https":
                self._tls = self._tls or ssl.create_default_context(
                    cafile=self._ca_bundle or get_cert_path(True)
                )
                connection = http.client.HTTPSConnection(host, port, timeout=self._timeout, context=self._tls)
            else:
                connection = http.client.HTTPConnection(host, port, timeout=self._timeout)
            connection.connect()
            self._sock, self._origin = connection.sock, origin
            self._reader = self._sock.makefile("rb")
        return self._sock, self._reader

    def _close(self) -> None:
        if self._reader:
            self._reader.close()
        if self._sock:
            self._sock.close()
        self._sock = self._reader = None


def _fields(answer: AWSResponse) -> dict[str, Any] | None:
    """What a successful answer says; None of any other, and of one that was damaged on its way."""
    # DynamoDB sends the checksum of its answers, and botocore retries where it is wrong.
    checksum = answer.headers.get("x-amz-crc32")
    if answer.status_code != http.client.OK or checksum not in (None, str(zlib.crc32(answer.content))):
        return None
    try:
        fields = json.loads(answer.content)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None
