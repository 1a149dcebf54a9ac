"""A server that takes every request of DynamoDB, SNS, SQS and S3 and answers at once.

What is measured against it is the client alone. It runs in a process of its own, so that its own CPU time is
not the client's.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from types import TracebackType
from typing import Any, NamedTuple, Self

from tools.core.paths import ROOT

# Batches are answered in full whatever was in them, so that 1 MB need not be parsed to answer it: no entry of
# a batch here has another id than its place.
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


class Request(NamedTuple):
    """A request that the sink took: the API operation and the body as it came."""

    operation: str
    body: bytes


class MockAws:
    """The sink as a process, for as long as the ``with`` lasts."""

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
        self._process.stdin.close()  # the sink ends when nobody holds the other end of its standard input
        self._process.wait()
        self._process.stdout.close()

    def keep(self) -> None:
        """From now on, remember what is taken."""
        self._control("keep")

    def taken(self) -> list[Request]:
        """What was taken since `keep`, and remember nothing any more."""
        kept = json.loads(self._control("taken"))
        return [Request(operation, bytes.fromhex(body)) for operation, body in kept]

    def _control(self, command: str) -> bytes:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.endpoint}/{command}") as answer:
            content: bytes = answer.read()
        return content


class _Connection(asyncio.Protocol):
    """One keep-alive HTTP/1.1 connection whose requests carry a Content-Length."""

    kept: list[tuple[str, str]] | None = None

    def __init__(self) -> None:
        self._received = bytearray()
        self._head = b""
        self._missing = 0

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
            self._missing = int(self._header(b"content-length") or 0)
            if self._header(b"expect"):
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        # No client here sends a second request before the first is answered.
        return len(self._received) >= self._missing

    def _header(self, name: bytes) -> bytes:
        for line in self._head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.lower() == name:
                return value.strip()
        return b""

    def _answer(self, body: bytes) -> bytes:
        operation, content, kind = self._operation(body)
        if _Connection.kept is not None:
            _Connection.kept.append((operation, body.hex()))
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
            return "control", self._control(path.decode()), "application/json"
        if method == b"PUT":
            return "PutObject", "", "application/xml"
        action = body.partition(b"Action=")[2].partition(b"&")[0].decode()
        return action, _XML_ANSWERS[action], "text/xml"

    @staticmethod
    def _control(path: str) -> str:
        if path == "/keep":
            _Connection.kept = []
            return "[]"
        kept, _Connection.kept = _Connection.kept or [], None
        return json.dumps(kept)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    over = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), over.set)
    await over.wait()


if __name__ == "__main__":
    asyncio.run(_serve())
