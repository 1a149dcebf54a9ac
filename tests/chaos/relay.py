"""A reverse proxy that understands AWS calls just enough to spoil them in ways that microburst does not.

It stands between the function and microburst. A hook sees each call, may have it forwarded, and says what the
function gets to see: an answer, or a connection that breaks.
"""

from __future__ import annotations

import contextlib
import http.client
import re
import select
import socket
import struct
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/")
# Of one connection only, each side's own business.
_HOP_BY_HOP = {"connection", "content-length", "expect", "keep-alive", "transfer-encoding"}
# How long the emulator may take to answer, in seconds.
_PATIENCE = 60


@dataclass
class Reply:
    """An HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Call:
    """One AWS call. ``forward`` has the emulator do what the body that it is given asks for."""

    service: str
    operation: str
    body: bytes
    forward: Callable[[bytes], Reply]


# A hook's answer to a call that is not its business.
PASS = Reply(0, {}, b"")
# None breaks the connection.
Hook = Callable[[Call], Reply | None]


class Relay:
    """The proxy, on a free port of 127.0.0.1.

    ``spoiled`` counts the calls that a hook has answered, ``unheard`` those that were done without anybody
    left to hear of it: on a slow machine the function gives up calls that no hook has touched.
    """

    def __init__(self, upstream: str) -> None:
        self._hooks: tuple[Hook, ...] = ()
        self._lock = threading.Lock()
        self.spoiled = 0
        self.unheard = 0
        netloc = urllib.parse.urlsplit(upstream).netloc
        handler = type("Handler", (_Handler,), {"relay": self, "netloc": netloc})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        """Begin to serve, in threads of this process."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()

    @contextlib.contextmanager
    def spoiling(self, *hooks: Hook) -> Iterator[None]:
        """Put hooks in the way of every call for a while; the first that does not pass decides."""
        self._hooks = hooks
        try:
            yield
        finally:
            self._hooks = ()

    def decide(self, call: Call) -> Reply | None:
        """What the function gets to see of a call."""
        for hook in self._hooks:
            reply = hook(call)
            if reply is not PASS:
                with self._lock:
                    self.spoiled += 1
                return reply
        return call.forward(call.body)

    def count_unheard(self) -> None:
        """Note that a call was done and that its caller had gone."""
        with self._lock:
            self.unheard += 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: workers that are killed leave broken connections."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    relay: Relay
    netloc: str

    def setup(self) -> None:
        super().setup()
        self._upstream = http.client.HTTPConnection(self.netloc, timeout=_PATIENCE)

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        scope = _SCOPE.search(self.headers.get("Authorization") or "")
        reply = self.relay.decide(Call(scope[1] if scope else "", self._operation(body), body, self._forward))
        if reply is None:
            # With nothing left to linger for, closing sends RST: the client sees its connection reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        if reply.status == HTTPStatus.OK and self._caller_has_gone():
            self.relay.count_unheard()
        self.send_response_only(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def _caller_has_gone(self) -> bool:
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)

    do_GET = do_PUT = do_POST = _handle  # noqa: N815 - the base class looks for these names

    def _operation(self, body: bytes) -> str:
        target: str | None = self.headers.get("X-Amz-Target")
        if target:
            return target.rpartition(".")[2]
        action = urllib.parse.parse_qs(body[:4096].decode("latin-1")).get("Action")
        return action[0] if action else f"{self.command.capitalize()}Object"

    def _forward(self, body: bytes) -> Reply:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        self._upstream.request(self.command, self.path, body=body, headers=headers)
        response = self._upstream.getresponse()
        kept = {name: value for name, value in response.getheaders() if name.lower() not in _HOP_BY_HOP}
        return Reply(response.status, kept, response.read())

    def finish(self) -> None:
        self._upstream.close()
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""
