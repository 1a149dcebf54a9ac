"""A server that accepts every request to DynamoDB, SNS, SQS and S3 and answers at once.

Benchmarks against it measure the client alone: it runs in its own process, so its CPU time does not count.
"""

import asyncio
import json
import subprocess
import sys
from contextlib import suppress
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


class Request(NamedTuple):
    """A recorded request: the API operation and the body."""

    operation: str
    body: bytes


class MockAws:
    """The server process. It ends with the ``with`` block."""

    def __enter__(self) -> Self:
        # It ends when its standard input is closed.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.benchmarks.mock_aws"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout
        self.endpoint = f"http://127.0.0.1:{int(self._process.stdout.readline())}"
        return self

    def __exit__(self, *error: Any) -> None:
        self._process.__exit__(*error)

    def start_recording(self) -> None:
        """Record all requests from now on."""
        self._control("start")

    def stop_recording(self) -> list[Request]:
        """Return the requests since `start_recording`."""
        recorded = json.loads(self._control("stop"))
        return [Request(operation, bytes.fromhex(body)) for operation, body in recorded]

    def _control(self, command: str) -> bytes:
        with direct_opener().open(f"{self.endpoint}/{command}") as response:
            content: bytes = response.read()
        return content


class _Server:
    """Answers requests over keep-alive HTTP/1.1. Requests have a Content-Length."""

    def __init__(self) -> None:
        self._recorded: list[tuple[str, str]] | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {
                    name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
                }
                if "expect" in headers:
                    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                content, kind = self._answer(first.split()[:2], headers.get("x-amz-target", ""), body)
                writer.write(
                    f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nx-amzn-requestid: 0\r\n"
                    f"content-length: {len(content)}\r\n\r\n{content}".encode()
                )
        writer.close()

    def _answer(self, request: list[str], target: str, body: bytes) -> tuple[str, str]:
        """Return the content of the answer and its type."""
        method, path = request
        if method == "GET":
            return self._control(path), "application/json"
        if target:
            operation, kind = target.rpartition(".")[2], "application/x-amz-json-1.0"
            content = json.dumps(_JSON_ANSWERS.get(operation, {}))
        elif method == "PUT":
            operation, content, kind = "PutObject", "", "application/xml"
        else:
            operation, kind = body.partition(b"Action=")[2].partition(b"&")[0].decode(), "text/xml"
            content = _XML_ANSWERS[operation]
        if self._recorded is not None:
            self._recorded.append((operation, body.hex()))
        return content, kind

    def _control(self, path: str) -> str:
        recorded, self._recorded = self._recorded, [] if path == "/start" else None
        return json.dumps(recorded)


async def _serve() -> None:
    server = await asyncio.start_server(_Server().serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), stopped.set)
    await stopped.wait()


if __name__ == "__main__":
    asyncio.run(_serve())
