"""A fake queue that speaks SQS's JSON protocol on a free port and answers as a test configures."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import botocore.session

Entry = dict[str, Any]
Response = tuple[int, dict[str, Any]]
# Receives the number of the request, from 1, and its entries. Returns a response, or None to accept all.
Behaviour = Callable[[int, list[Entry]], Response | None]


class HangUp(Exception):
    """Raised by a behaviour to close the connection without a response."""


def error(status: int, code: str, message: str = "") -> Response:
    """Return an error in SQS's format."""
    return status, {"__type": f"com.amazonaws.sqs#{code}", "message": message}


class FakeQueue:
    """Records what it receives: ``bodies`` by message id, in the order in which it accepted them."""

    def __init__(self, port: int) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"
        self.url = f"{self.endpoint}/000000000000/events"
        self.bodies: dict[str, str] = {}
        self.requests: list[list[Entry]] = []
        self.headers: list[dict[str, str]] = []
        self.behaviour: Behaviour = lambda number, entries: None
        self._lock = threading.Lock()

    def respond(self, request: dict[str, Any], headers: dict[str, str]) -> Response:
        """Return the response to a SendMessageBatch request. Raises HangUp."""
        entries: list[Entry] = request["Entries"]
        with self._lock:
            self.requests.append(entries)
            self.headers.append(headers)
            number = len(self.requests)
        if request["QueueUrl"] != self.url:
            return error(400, "QueueDoesNotExist", "The specified queue does not exist.")
        return self.behaviour(number, entries) or (200, {"Successful": self.accept(entries)})

    def accept(self, entries: list[Entry]) -> list[dict[str, str]]:
        """Accept entries. Returns SQS's result for each."""
        results = []
        with self._lock:
            for entry in entries:
                message_id = str(uuid.uuid4())
                self.bodies[message_id] = entry["MessageBody"]
                results.append({"Id": entry["Id"], "MessageId": message_id})
        return results


@contextmanager
def run_fake_queue() -> Iterator[FakeQueue]:
    """Run a fake queue on a free port."""
    queue: FakeQueue

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            try:
                status, fields = queue.respond(request, {k.lower(): v for k, v in self.headers.items()})
            except HangUp:
                self.close_connection = True
                return
            body = json.dumps(fields).encode()
            # A stopped producer may have closed the connection.
            with suppress(ConnectionError):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        queue = FakeQueue(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield queue
        finally:
            server.shutdown()
            thread.join()


def session() -> Any:
    """Return a botocore session with test credentials, whatever the environment contains."""
    result = botocore.session.Session()
    result.set_config_variable("region", "us-east-1")
    result.set_credentials("test", "test")
    return result
