"""Send finished requests to a server that closes its connections."""

from __future__ import annotations

import socketserver
import threading

import pytest
from botocore.credentials import Credentials

from producer.send.target import Target
from tools.benchmarks.senders import finished_request, send_requests

REQUESTS_A_CONNECTION = 3


class _Handler(socketserver.StreamRequestHandler):
    """Answers as hypercorn does, which ends a connection after some requests."""

    def handle(self) -> None:
        for number in range(1, REQUESTS_A_CONNECTION + 1):
            length = 0
            while line := self.rfile.readline().strip():
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            if not self.rfile.read(length):
                return
            self.server.received += 1  # type: ignore[attr-defined]
            last = b"connection: close\r\n" if number == REQUESTS_A_CONNECTION else b""
            self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n" + last + b"\r\n{}")


@pytest.mark.parametrize("count", [1, REQUESTS_A_CONNECTION, 2 * REQUESTS_A_CONNECTION + 1])
def test_every_request_is_sent_once_however_often_the_server_closes_the_connection(count: int) -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Handler) as server:
        server.received = 0  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            endpoint = f"http://127.0.0.1:{server.server_address[1]}"
            target = Target(f"{endpoint}/0/q", endpoint, "us-east-1", Credentials("a", "b"))
            send_requests(target, [finished_request(target, ["{}"])] * count)
        finally:
            server.shutdown()
            thread.join()
    assert server.received == count  # type: ignore[attr-defined]
