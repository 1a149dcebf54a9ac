"""Ways to send events to a queue, each run in a process of its own.

Usage: ``python -m tools.benchmarks.senders WAY QUEUE_URL KB COUNT``, with AWS settings in the environment. Prints a
line of JSON: CPU and wall seconds, and how many events were sent.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from typing import Any

import botocore.session

from aws_http.responses import read_response
from aws_http.signing import Signer
from producer.generate.messages import Message
from producer.options import Options
from producer.run import produce
from producer.send.batching import batched
from producer.send.sqs_client import request_body
from producer.send.target import Target
from tools.benchmarks import fixtures

# Events that the rivals have made before the clock starts. Ours makes each of its own while it is timed.
_READY = 40

OURS, SINGLE, BATCHED = "ours", "send_message", "send_message_batch"


def ours(queue_url: str, kb: int, count: int) -> Callable[[], Any]:
    """The producer, manifest aside, which no rival writes."""

    session = botocore.session.Session()  # the rivals have their client before the clock starts

    def send() -> None:
        result = produce(Options(queue_url, count, target_kb=kb, seed=fixtures.SEED), session=session)
        if not result.complete:
            raise RuntimeError(result.error or "not every event could be sent")

    return send


def single(queue_url: str, kb: int, count: int) -> Callable[[], Any]:
    """A loop over boto3's ``send_message``."""
    sqs = _boto3()
    ready = [message.body for message in islice(fixtures.messages(kb), _READY)]

    def send() -> None:
        for body in islice(cycle(ready), count):
            sqs.send_message(QueueUrl=queue_url, MessageBody=body)

    return send


def send_message_batches(queue_url: str, kb: int, count: int) -> Callable[[], Any]:
    """A loop over boto3's ``send_message_batch``, its batches as full as SQS takes them."""
    sqs = _boto3()
    ready = [
        [{"Id": str(place), "MessageBody": message.body} for place, message in enumerate(batch)]
        for batch in batched(islice(fixtures.messages(kb), _READY))
    ]

    def send() -> None:
        sent = 0
        for batch in cycle(ready):
            sqs.send_message_batch(QueueUrl=queue_url, Entries=batch[: count - sent])
            sent += len(batch)
            if sent >= count:
                return

    return send


def prepared(connections: int) -> Callable[[str, int, int], Callable[[], Any]]:
    """One finished request, sent over and over: the most that the other side can take."""

    def make(queue_url: str, kb: int, count: int) -> Callable[[], Any]:
        target = Target.find(queue_url, None, botocore.session.Session())
        batch = next(batched(islice(fixtures.messages(kb), _READY)))
        request = _request(target, batch)
        times = max(1, round(count / len(batch) / connections))

        def serve(_: int) -> None:
            host, port = target.endpoint.rpartition("/")[2].split(":")
            with socket.create_connection((host, int(port))) as connection:
                answers = connection.makefile("rb")
                for _ in range(times):
                    connection.sendall(request)
                    response = read_response(answers)
                    if response.status != 200:
                        raise RuntimeError(f"refused: {response.body.decode()}")

        def send() -> int:
            with ThreadPoolExecutor(connections) as pool:
                list(pool.map(serve, range(connections)))
            return times * connections * len(batch)

        return send

    return make


WAYS = {
    OURS: ours,
    SINGLE: single,
    BATCHED: send_message_batches,
    **{f"prepared-{connections}": prepared(connections) for connections in (1, 2, 4)},
}


def _boto3() -> Any:
    import boto3

    return boto3.client("sqs")


def _request(target: Target, batch: list[Message]) -> bytes:
    body = b"".join(request_body(target.queue_url, batch))
    headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS.SendMessageBatch"}
    signer = Signer(target.endpoint.rpartition("/")[2], target.region, "sqs", headers)
    signed = signer.headers([body], target.credentials.get_frozen_credentials())
    lines = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
    return f"POST / HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n\r\n".encode() + body


def main(way: str, queue_url: str, kb: str, count: str) -> None:
    """Send, and say what it took."""
    send = WAYS[way](queue_url, int(kb), int(count))
    wall, cpu = time.perf_counter(), time.process_time()
    sent = send() or int(count)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(json.dumps({"wall": wall, "cpu": cpu, "sent": sent}))


if __name__ == "__main__":
    main(*sys.argv[1:])
