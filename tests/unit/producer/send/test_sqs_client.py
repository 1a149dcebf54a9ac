from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from aws_http.connection import TransportError
from aws_http.errors import AwsError
from producer.send.sqs_client import SqsClient, request_body
from producer.send.target import Target
from tests.unit.producer.factories import message, target
from tests.unit.producer.fake_queue import Entry, FakeQueue, HangUp, error, run_fake_queue, session


@contextmanager
def open_client(target: Target) -> Iterator[SqsClient]:
    client = SqsClient(target)
    try:
        yield client
    finally:
        client.close()


def test_a_request_has_the_json_format_that_sqs_documents() -> None:
    batch = [message(0, '{"a":"é"}'), message(1, '{"b":"\\u0000"}'.replace("\\u0000", "x"))]
    assert json.loads(b"".join(request_body("http://sqs/queue", batch))) == {
        "QueueUrl": "http://sqs/queue",
        "Entries": [
            {"Id": "0", "MessageBody": '{"a":"é"}'},
            {"Id": "1", "MessageBody": '{"b":"x"}'},
        ],
    }


def test_messages_arrive_byte_for_byte(queue: FakeQueue) -> None:
    bodies = ['{"name":"Zoë Łódź"}', '{"text":"two\u2028lines"}']
    with open_client(target(queue.url)) as client:
        response = client.send_batch([message(n, body) for n, body in enumerate(bodies)])
    assert [entry["Id"] for entry in response["Successful"]] == ["0", "1"]
    assert list(queue.bodies.values()) == bodies


def test_a_request_of_1_mib_arrives(queue: FakeQueue) -> None:
    body = '{"text":"' + "x" * (1_048_576 - 11) + '"}'
    with open_client(target(queue.url)) as client:
        client.send_batch([message(0, body)])
    assert list(queue.bodies.values()) == [body]


def test_a_request_names_its_operation_and_is_signed(queue: FakeQueue) -> None:
    with open_client(target(queue.url)) as client:
        client.send_batch([message()])
    headers = queue.headers[0]
    assert headers["x-amz-target"] == "AmazonSQS.SendMessageBatch"
    assert headers["host"] == queue.endpoint.removeprefix("http://")
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=test/")


def test_an_error_has_the_code_and_message_of_sqs(queue: FakeQueue) -> None:
    queue.behaviour = lambda number, entries: error(400, "RequestThrottled", "Slow down.")
    with open_client(target(queue.url)) as client, pytest.raises(AwsError) as caught:
        client.send_batch([message()])
    assert (caught.value.status, caught.value.code) == (400, "RequestThrottled")
    assert str(caught.value) == "RequestThrottled: Slow down."


def test_the_connection_is_reused_after_an_error(queue: FakeQueue) -> None:
    queue.behaviour = lambda number, entries: error(500, "InternalError") if number == 1 else None
    with open_client(target(queue.url)) as client:
        with pytest.raises(AwsError):
            client.send_batch([message()])
        assert client.send_batch([message()])["Successful"]


def test_a_lost_connection_is_reopened(queue: FakeQueue) -> None:
    def hang_up(number: int, entries: list[Entry]) -> None:
        if number == 1:
            raise HangUp

    queue.behaviour = hang_up
    with open_client(target(queue.url)) as client:
        with pytest.raises(TransportError) as caught:
            client.send_batch([message()])
        assert not caught.value.never_connected
        assert client.send_batch([message()])["Successful"]


def test_a_connection_that_the_server_closed_while_idle_is_reopened_without_an_error() -> None:
    accepted = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for _ in range(2):
                peer, _ = server.accept()
                accepted.append(peer)
                with peer, peer.makefile("rb") as reader:
                    length = 0
                    while line := reader.readline().strip().lower():
                        if line.startswith(b"content-length:"):
                            length = int(line.split(b":")[1])
                    reader.read(length)
                    answer = b'{"Successful":[]}'
                    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)
                closed.set()

        closed = threading.Event()
        thread = threading.Thread(target=serve)
        thread.start()
        port = server.getsockname()[1]
        with open_client(target(f"http://127.0.0.1:{port}/0/q")) as client:
            client.send_batch([message()])
            assert closed.wait(5)
            client.send_batch([message()])
        thread.join()
    assert len(accepted) == 2


def test_a_refused_connection_is_explained() -> None:
    with run_fake_queue() as queue:
        url = queue.url
    with (
        open_client(target(url)) as client,
        pytest.raises(TransportError, match="nothing listens") as caught,
    ):
        client.send_batch([message()])
    assert caught.value.never_connected


def test_a_server_without_tls_counts_as_never_connected(queue: FakeQueue) -> None:
    tls_target = replace(
        target(queue.url),
        endpoint=queue.endpoint.replace("http:", "https:"),
        tls=ssl.create_default_context(),
    )
    with open_client(tls_target) as client, pytest.raises(TransportError) as caught:
        client.send_batch([message()])
    assert caught.value.never_connected


@pytest.mark.parametrize(
    ("login", "header"), [("", b""), ("me:secret@", b"Proxy-Authorization: Basic bWU6c2VjcmV0\r\n")]
)
def test_a_proxy_receives_a_request_for_a_tunnel(login: str, header: bytes) -> None:
    received = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def serve() -> None:
            peer, _ = proxy.accept()
            with peer:
                received.append(peer.recv(4096))
                peer.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        proxied = Target(
            queue_url="https://sqs.eu-west-1.amazonaws.com/0/q",
            endpoint="https://sqs.eu-west-1.amazonaws.com",
            region="eu-west-1",
            credentials=session().get_credentials(),
            tls=ssl.create_default_context(),
            proxy=f"http://{login}127.0.0.1:{proxy.getsockname()[1]}",
        )
        with open_client(proxied) as client, pytest.raises(TransportError, match="407"):
            client.send_batch([message()])
        thread.join()
    assert received[0].startswith(b"CONNECT sqs.eu-west-1.amazonaws.com:443 ")
    assert header in received[0]


def test_a_response_that_is_not_from_sqs_is_an_error(queue: FakeQueue) -> None:
    responses: list[Any] = [(200, ["a list"]), (404, {"error": "no such page"})]
    queue.behaviour = lambda number, entries: responses[number - 1]
    with open_client(target(queue.url)) as client:
        with pytest.raises(TransportError, match="not SQS's"):
            client.send_batch([message()])
        with pytest.raises(AwsError, match=r"HTTP 404: .*no such page"):
            client.send_batch([message()])
