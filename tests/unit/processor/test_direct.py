from __future__ import annotations

import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from processor import direct
from processor.aws import clients, send

from transport.responses import read_response

PUT = {"TableName": "events", "Item": {"event_id": {"S": "e-1"}, "payload": {"B": bytes(range(256))}}}
Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers each request with what the server has ready for it; the last answer is given for ever."""

    protocol_version = "HTTP/1.1"
    server: DynamoDB

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.requests.append((dict(self.headers.items()), body))
        answers = self.server.answers
        (answers.pop(0) if len(answers) > 1 else answers[0])(self)

    def log_message(self, *arguments: Any) -> None:
        """Nobody reads it."""


class DynamoDB(ThreadingHTTPServer):
    """A service that says what it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[Answer] = [answer(200, {})]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


def answer(status: int, fields: dict[str, Any], **headers: str) -> Answer:
    content = json.dumps(fields).encode()

    def write(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in {"x-amz-crc32": str(zlib.crc32(content)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("content-length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return write


def error(code: str, status: int = 400, **fields: Any) -> Answer:
    return answer(status, {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", **fields})


def no_answer(handler: Handler) -> None:
    handler.close_connection = True


@pytest.fixture
def server() -> Iterator[DynamoDB]:
    with DynamoDB() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def environment(server: DynamoDB, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "a secret",
        "AWS_SESSION_TOKEN": "a token",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def hang_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A function keeps its connections for as long as it lives; here they are closed after each test."""
    connect = HTTPConnection.connect
    opened: list[Any] = []

    def connect_remembered(connection: HTTPConnection) -> None:
        connect(connection)
        opened.append(connection.sock)

    def read_remembered(reader: Any) -> Any:
        opened.append(reader)
        return read_response(reader)

    monkeypatch.setattr(HTTPConnection, "connect", connect_remembered)
    monkeypatch.setattr(direct, "read_response", read_remembered)
    yield
    for one in opened:
        one.close()


def put(timeout: float = 30) -> Any:
    client = clients(timeout)("dynamodb")
    return send(client.put_item, PUT)


def test_what_is_sent_is_signed_as_botocore_signs_it(server: DynamoDB) -> None:
    put()
    headers, body = server.requests[0]
    given = {name.lower(): value for name, value in headers.items()}
    signed = given["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    request = AWSRequest(
        "POST",
        f"{server.url}/",
        headers={name: given[name] for name in signed if name not in ("host", "x-amz-date")},
        data=body,
    )
    request.context["timestamp"] = given["x-amz-date"]
    signer = SigV4Auth(ReadOnlyCredentials("AKIDEXAMPLE", "a secret", None), "dynamodb", "eu-west-1")
    request.headers["X-Amz-Date"] = given["x-amz-date"]
    canonical = signer.canonical_request(request)
    assert given["authorization"].endswith(
        signer.signature(signer.string_to_sign(request, canonical), request)
    )
    assert {"host", "x-amz-date", "x-amz-target", "x-amz-security-token"} <= set(signed)


def test_binary_is_sent_as_base64_of_it(server: DynamoDB) -> None:
    put()
    sent = json.loads(server.requests[0][1])
    assert sent["Item"]["payload"]["B"].startswith("AAECAwQFBgcICQ")
    assert sent["Item"]["event_id"] == {"S": "e-1"}


def test_a_throttled_try_is_tried_again(server: DynamoDB) -> None:
    server.answers = [error("ThrottlingException"), answer(200, {})]
    assert put()["ResponseMetadata"]["RetryAttempts"] == 1
    assert len(server.requests) == 2


def test_an_answer_that_was_damaged_on_its_way_is_asked_for_again(server: DynamoDB) -> None:
    server.answers = [answer(200, {}, x_amz_crc32="1"), answer(200, {})]
    assert put()["ResponseMetadata"]["RetryAttempts"] == 1
    assert len(server.requests) == 2


def test_an_answer_that_is_no_json_is_left_to_botocore(server: DynamoDB) -> None:
    def write(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("content-length", "2")
        handler.end_headers()
        handler.wfile.write(b"ok")

    server.answers = [write]
    assert put()["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert len(server.requests) == 1


def test_a_lost_answer_counts_as_a_try(server: DynamoDB) -> None:
    server.answers = [no_answer, answer(200, {})]
    assert put()["ResponseMetadata"]["RetryAttempts"] == 1


def test_tries_end(server: DynamoDB) -> None:
    server.answers = [error("InternalServerError", 500)]
    with pytest.raises(ClientError, match="InternalServerError"):
        put()
    assert len(server.requests) == 2


def test_what_holds_the_key_comes_with_the_error(server: DynamoDB) -> None:
    server.answers = [
        error("ConditionalCheckFailedException", Item={"event_id": {"S": "e-1"}, "payload": {"B": "AAE="}})
    ]
    client = clients(30)("dynamodb")
    with pytest.raises(client.exceptions.ConditionalCheckFailedException) as failed:
        send(client.put_item, PUT)
    assert failed.value.response["Item"]["payload"] == {"B": b"\x00\x01"}
    assert failed.value.response["ResponseMetadata"]["RetryAttempts"] == 0
    assert len(server.requests) == 1


def test_one_connection_serves_until_the_other_side_closes_it(server: DynamoDB) -> None:
    client = clients(30)("dynamodb")
    server.answers = [answer(200, {}), answer(200, {}), answer(200, {}, connection="close"), answer(200, {})]
    for _ in range(4):
        assert send(client.put_item, PUT)["ResponseMetadata"]["RetryAttempts"] == 0
    assert len(server.requests) == 4


def test_a_service_that_hangs_is_given_up_in_time(server: DynamoDB) -> None:
    over = threading.Event()

    def hang(handler: Handler) -> None:
        over.wait(10)

    server.answers = [hang]
    began = time.monotonic()
    try:
        with pytest.raises(ReadTimeoutError):
            put(timeout=0.6)
    finally:
        over.set()
    assert time.monotonic() - began < 5


def test_where_nothing_listens_the_endpoint_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(EndpointConnectionError, match=url):
            put()


def test_a_proxy_is_left_to_botocore(server: DynamoDB, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://dynamodb.example")
    monkeypatch.setenv("http_proxy", server.url)
    client = clients(30)("dynamodb")
    send(client.put_item, PUT)
    client.close()
    assert server.requests[0][0]["Host"] == "dynamodb.example"
