"""Detect whether an emulator keeps message bodies: by the init script's outcome, else by a probe."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tools.local import message_bodies

SCRIPTS = [{"stage": "START", "name": "keep_bodies.py", "state": "SUCCESSFUL"}]


@contextmanager
def localstack(scripts: list[dict[str, str]]) -> Iterator[str]:
    """An address where LocalStack's list of init scripts is, and nothing else."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Serve the only page."""
            found = self.path == "/_localstack/init/start"
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(json.dumps({"completed": True, "scripts": scripts}).encode() if found else b"")

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Emulator:
    """Fakes of SQS, Lambda and CloudWatch Logs; ``there`` holds the created resources."""

    def __init__(self, said: str | None, refuses: str = "") -> None:
        self.said = said
        self.refuses = refuses
        self.there: set[str] = set()
        self.exceptions = SimpleNamespace(ResourceNotFoundException=ClientError)

    def __call__(self, _service: str) -> Any:
        return self

    def __getattr__(self, call: str) -> Any:
        def answer(**_: Any) -> Any:
            if call == self.refuses:
                raise ClientError({"Error": {"Code": "X", "Message": "x"}}, call)
            verb, thing = call.split("_", 1)
            if verb == "create":
                self.there.add(thing)
            elif verb == "delete":
                self.there.discard(thing)
            events = [{"message": "START"}, {"message": f"PROBE {self.said}\n"}] if self.said else []
            return {
                "QueueUrl": "url",
                "UUID": "uuid",
                "Attributes": {"QueueArn": "arn:aws:sqs:us-east-1:000000000000:q"},
                "events": events,
            }

        return answer

    def get_waiter(self, _name: str) -> Any:
        """Wait for nothing."""
        return SimpleNamespace(wait=lambda **_: None)


def never(service: str) -> Any:
    """Fail a test that sends an unneeded probe."""
    raise AssertionError(service)


def test_ministack_keeps_bodies_and_gets_no_probe() -> None:
    assert message_bodies.are_kept("http://127.0.0.1:1", "ministack", never)


def test_a_localstack_whose_script_succeeded_gets_no_probe() -> None:
    with localstack(SCRIPTS) as address:
        assert message_bodies.are_kept(address, "localstack", never)


@pytest.mark.parametrize("scripts", [[], [SCRIPTS[0] | {"state": "ERROR"}], [SCRIPTS[0] | {"name": "x.py"}]])
@pytest.mark.parametrize(("said", "kept"), [("kept", True), ("rewritten", False)])
def test_any_other_localstack_gets_a_probe_that_cleans_up(
    scripts: list[dict[str, str]], said: str, kept: bool
) -> None:
    emulator = Emulator(said)
    with localstack(scripts) as address:
        assert message_bodies.are_kept(address, "localstack", emulator) is kept
    assert emulator.there == set()


@pytest.mark.parametrize("refuses", ["", "create_function", "send_message", "delete_function"])
def test_without_an_answer_contents_are_compared(monkeypatch: pytest.MonkeyPatch, refuses: str) -> None:
    monkeypatch.setattr(message_bodies, "PROBE_SECONDS", 0)
    emulator = Emulator(None, refuses)
    with localstack([]) as address:
        assert message_bodies.are_kept(address, "localstack", emulator)
    assert emulator.there <= {"function"} if refuses == "delete_function" else emulator.there == set()
