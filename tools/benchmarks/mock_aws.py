"""A server that accepts every request to DynamoDB, SNS, SQS and S3 and answers at once.

Benchmarks against it measure the client alone: it runs in its own process, so its CPU time does not count.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from types import TracebackType
from typing import Any, NamedTuple, Self

from tools.core.http import direct_opener
from tools.core.paths import ROOT

# A batch's response always lists ten entries, which saves parsing the request. The ids of entries in the
# benchmarks are their indexes.
_IDS = range(10)
_SENT_BATCH = {
    "Successful": [{"Id": str(n), "MessageId": f"{n:08}", "MD5OfMessageBody": "0" * 32} for n in _IDS],
    "Failed": [],
}
_JSON_ANSWERS = {
    "BatchWriteItem": {"UnprocessedItems": {}},
    "SendMessage": {"MessageId": "00000000", "MD5OfMessageBody": "0" * 32},
    "SendMessageBatch": _SENT_BATCH,
}
_PUBLISHED = "".join(f"<member><Id>{n}</Id><MessageId>{n:08}</MessageId></member>" for n in _IDS)
_XML_ANSWERS = {
    "Publish": "<PublishResponse><PublishResult><MessageId>0</MessageId></PublishResult></PublishResponse>",
    "PublishBatch": "<PublishBatchResponse><PublishBatchResult><Failed/>"
    f"<Successful>{_PUBLISHED}</Successful></PublishBatchResult></PublishBatchResponse>",
}


# The pseudo-operation of requests that control the recording.
_CONTROL = "control"


class Request(NamedTuple):
    """A recorded request: the API operation and the body."""

    operation: str
    body: bytes


class MockAws:
    """The server process. It ends with the ``with`` block."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.benchmarks.mock_aws"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout
        self.endpoint = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()  # the server ends when its standard input is closed
        self._process.wait()
        self._process.stdout.close()

    def start_recording(self) -> None:
        """Record all requests from now on."""
        self._control("start")

    def stop_recording(self) -> list[Request]:
        """Return the requests since `start_recording`."""
        recorded = json.loads(self._control("stop"))
        return [Request(operation, bytes.fromhex(body)) for operation, body in recorded]

    def _control(self, command: str) -> bytes:
        opener = direct_opener()
        with opener.open(f"{self.endpoint}/{command}") as response:
            content: bytes = response.read()
        return content


class _Connection(asyncio.Protocol):
    """A keep-alive HTTP/1.1 connection. Requests have a Content-Length."""

    recorded: list[tuple[str, str]] | None = None

    def __init__(self) -> None:
        self._received = bytearray()
        self._head = b""
        self._body_length = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while self._complete():
            body = bytes(self._received)
            self._received.clear()
            self._transport.write(self._answer(body))
            self._head = b""

    def _complete(self) -> bool:
        if not self._head:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return False
            self._head = bytes(self._received[:end])
            del self._received[: end + 4]
            self._body_length = int(self._header(b"content-length") or 0)
            if self._header(b"expect"):
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        # The clients here never send a request before the previous response.
        return len(self._received) >= self._body_length

    def _header(self, name: bytes) -> bytes:
        for line in self._head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.lower() == name:
                return value.strip()
        return b""

    def _answer(self, body: bytes) -> bytes:
        operation, content, kind = self._operation(body)
        if _Connection.recorded is not None and operation != _CONTROL:
            _Connection.recorded.append((operation, body.hex()))
        return (
            f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nx-amzn-requestid: 0\r\n"
            f"content-length: {len(content)}\r\n\r\n{content}"
        ).encode()

    def _operation(self, body: bytes) -> tuple[str, str, str]:
        target = self._header(b"x-amz-target").rpartition(b".")[2].decode()
        if target:
            return target, json.dumps(_JSON_ANSWERS.get(target, {})), "application/x-amz-json-1.0"
        method, path, _ = self._head.split(b"\r\n")[0].split()
        if method == b"GET":
            return _CONTROL, self._control(path.decode()), "application/json"
        if method == b"PUT":
            return "PutObject", "", "application/xml"
        action = body.partition(b"Action=")[2].partition(b"&")[0].decode()
        return action, _XML_ANSWERS[action], "text/xml"

    @staticmethod
    def _control(path: str) -> str:
        if path == "/start":
            _Connection.recorded = []
            return "[]"
        recorded, _Connection.recorded = _Connection.recorded or [], None
        return json.dumps(recorded)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    stopped = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), stopped.set)
    await stopped.wait()


if __name__ == "__main__":
    asyncio.run(_serve())
