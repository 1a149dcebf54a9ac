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
from producer.send.sqs_client import Refused, SqsClient, request_body
from producer.send.target import Target
from tests.unit.producer.fake_queue import Entry, FakeQueue, HangUp, error, serving, session
from tests.unit.producer.making import message, target


@contextmanager
def connected(to: Target) -> Iterator[SqsClient]:
    connection = SqsClient(to)
    try:
        yield connection
    finally:
        connection.close()


def test_a_request_is_the_json_that_sqs_documents() -> None:
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
    with connected(target(queue.url)) as connection:
        answer = connection.send_batch([message(n, body) for n, body in enumerate(bodies)])
    assert [entry["Id"] for entry in answer["Successful"]] == ["0", "1"]
    assert list(queue.bodies.values()) == bodies


def test_a_request_of_1_mib_arrives(queue: FakeQueue) -> None:
    body = '{"text":"' + "x" * (1_048_576 - 11) + '"}'
    with connected(target(queue.url)) as connection:
        connection.send_batch([message(0, body)])
    assert list(queue.bodies.values()) == [body]


def test_a_request_says_what_it_is_and_who_sends_it(queue: FakeQueue) -> None:
    with connected(target(queue.url)) as connection:
        connection.send_batch([message()])
    headers = queue.headers[0]
    assert headers["x-amz-target"] == "AmazonSQS.SendMessageBatch"
    assert headers["host"] == queue.endpoint.removeprefix("http://")
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=test/")


def test_an_error_carries_sqs_s_code_and_words(queue: FakeQueue) -> None:
    queue.behave = lambda number, entries: error(400, "RequestThrottled", "Slow down.")
    with connected(target(queue.url)) as connection, pytest.raises(Refused) as refusal:
        connection.send_batch([message()])
    assert (refusal.value.status, refusal.value.code) == (400, "RequestThrottled")
    assert str(refusal.value) == "RequestThrottled: Slow down."


def test_after_an_error_the_connection_is_used_again(queue: FakeQueue) -> None:
    queue.behave = lambda number, entries: error(500, "InternalError") if number == 1 else None
    with connected(target(queue.url)) as connection:
        with pytest.raises(Refused):
            connection.send_batch([message()])
        assert connection.send_batch([message()])["Successful"]


def test_a_lost_connection_is_opened_again(queue: FakeQueue) -> None:
    def hang_up(number: int, entries: list[Entry]) -> None:
        if number == 1:
            raise HangUp

    queue.behave = hang_up
    with connected(target(queue.url)) as connection:
        with pytest.raises(TransportError) as problem:
            connection.send_batch([message()])
        assert not problem.value.never_connected
        assert connection.send_batch([message()])["Successful"]


def test_a_connection_that_the_server_has_closed_while_idle_costs_no_attempt() -> None:
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
        with connected(target(f"http://127.0.0.1:{port}/0/q")) as connection:
            connection.send_batch([message()])
            assert closed.wait(5)
            connection.send_batch([message()])
        thread.join()
    assert len(accepted) == 2


def test_nothing_listening_is_said_in_words() -> None:
    with serving() as queue:
        url = queue.url
    with (
        connected(target(url)) as connection,
        pytest.raises(TransportError, match="nothing listens") as problem,
    ):
        connection.send_batch([message()])
    assert problem.value.never_connected


def test_a_server_that_does_not_speak_tls_was_never_connected_to(queue: FakeQueue) -> None:
    secure = replace(
        target(queue.url),
        endpoint=queue.endpoint.replace("http:", "https:"),
        tls=ssl.create_default_context(),
    )
    with connected(secure) as connection, pytest.raises(TransportError) as problem:
        connection.send_batch([message()])
    assert problem.value.never_connected


@pytest.mark.parametrize(
    ("login", "header"), [("", b""), ("me:secret@", b"Proxy-Authorization: Basic bWU6c2VjcmV0\r\n")]
)
def test_a_proxy_is_asked_for_a_tunnel(login: str, header: bytes) -> None:
    received = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def serve() -> None:
            peer, _ = proxy.accept()
            with peer:
                received.append(peer.recv(4096))
                peer.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        through = Target(
            queue_url="https://sqs.eu-west-1.amazonaws.com/0/q",
            endpoint="https://sqs.eu-west-1.amazonaws.com",
            region="eu-west-1",
            credentials=session().get_credentials(),
            tls=ssl.create_default_context(),
            proxy=f"http://{login}127.0.0.1:{proxy.getsockname()[1]}",
        )
        with connected(through) as connection, pytest.raises(TransportError, match="407"):
            connection.send_batch([message()])
        thread.join()
    assert received[0].startswith(b"CONNECT sqs.eu-west-1.amazonaws.com:443 ")
    assert header in received[0]


def test_an_answer_that_is_not_sqs_s_is_not_taken_for_one(queue: FakeQueue) -> None:
    answers: list[Any] = [(200, ["a list"]), (404, {"error": "no such page"})]
    queue.behave = lambda number, entries: answers[number - 1]
    with connected(target(queue.url)) as connection:
        with pytest.raises(TransportError, match="not SQS's"):
            connection.send_batch([message()])
        with pytest.raises(Refused, match=r"HTTP 404: .*no such page"):
            connection.send_batch([message()])
