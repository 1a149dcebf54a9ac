"""Send events to a queue in one of several ways, and print the time.

Usage: ``python -m tools.benchmarks.senders WAY QUEUE_URL KB COUNT``, with AWS settings in the environment.
Prints a line of JSON: CPU and wall milliseconds per event, and events per second.
"""

import json
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from typing import Any

import botocore.session

from aws_http.responses import read_response
from aws_http.signing import Signer
from producer.options import Options
from producer.run import produce
from producer.send.batching import batched
from producer.send.target import Target
from tools.benchmarks import fixtures

# Events that the boto3 loops generate before the measurement. The producer generates its events within it.
_PREGENERATED = 40

OURS, SINGLE, BATCHED = "ours", "send_message", "send_message_batch"


class _Body(str):
    """A body that knows its size in bytes."""

    @property
    def size(self) -> int:
        return len(self.encode())


def _entries(batch: Sequence[str]) -> list[dict[str, str]]:
    return [{"Id": str(index), "MessageBody": body} for index, body in enumerate(batch)]


def ours(queue_url: str, kb: int, count: int) -> Callable[[], Any]:
    """Send with the producer, without a manifest, because the loops write none."""
    # The loops create their client before the measurement, too.
    session = botocore.session.Session()

    def send() -> None:
        result = produce(Options(queue_url, count, target_kb=kb, seed=fixtures.SEED), session=session)
        if not result.complete:
            raise RuntimeError(result.error or "not every event could be sent")

    return send


def single(queue_url: str, kb: int, count: int) -> Callable[[], Any]:
    """Send in a loop over boto3's ``send_message``."""
    sqs = _boto3()
    bodies = list(islice(fixtures.generate_bodies(kb), _PREGENERATED))

    def send() -> None:
        for body in islice(cycle(bodies), count):
            sqs.send_message(QueueUrl=queue_url, MessageBody=body)

    return send


def send_message_batches(queue_url: str, kb: int, count: int) -> Callable[[], Any]:
    """Send in a loop over boto3's ``send_message_batch``, with batches as large as SQS accepts."""
    sqs = _boto3()
    batches = [
        _entries(batch) for batch in batched(map(_Body, islice(fixtures.generate_bodies(kb), _PREGENERATED)))
    ]

    def send() -> None:
        sent = 0
        for batch in cycle(batches):
            sqs.send_message_batch(QueueUrl=queue_url, Entries=batch[: count - sent])
            sent += len(batch)
            if sent >= count:
                return

    return send


def prepared(connections: int) -> Callable[[str, int, int], Callable[[], Any]]:
    """Send one finished request again and again, which measures the highest rate of the server."""

    def create_sender(queue_url: str, kb: int, count: int) -> Callable[[], Any]:
        target = Target.find(queue_url, None, botocore.session.Session())
        batch = next(batched(map(_Body, islice(fixtures.generate_bodies(kb), _PREGENERATED))))
        times = max(1, round(count / len(batch) / connections))
        requests = [finished_request(target, batch)] * times

        def send() -> int:
            with ThreadPoolExecutor(connections) as pool:
                list(pool.map(lambda _: send_requests(target, requests), range(connections)))
            return times * connections * len(batch)

        return send

    return create_sender


def finished_requests(target: Target, bodies: Iterable[str]) -> list[bytes]:
    """Return signed requests that send these bodies in batches as large as SQS accepts."""
    return [finished_request(target, batch) for batch in batched(map(_Body, bodies))]


def send_requests(target: Target, requests: Iterable[bytes]) -> None:
    """Send finished requests over a separate connection. Raises RuntimeError unless SQS accepts them."""
    host, port = target.endpoint.rpartition("/")[2].split(":")
    left = iter(requests)
    all_sent = False
    # MiniStack closes a connection after 1,000 requests.
    while not all_sent:
        with socket.create_connection((host, int(port))) as connection:
            all_sent = _send_over(connection, left)


def _send_over(connection: socket.socket, requests: Iterator[bytes]) -> bool:
    """Send requests until the server closes the connection. Return whether all are sent."""
    responses = connection.makefile("rb")
    for request in requests:
        connection.sendall(request)
        response = read_response(responses)
        if response.status != 200:
            raise RuntimeError(f"SQS refused the request: {response.body.decode()}")
        if not response.reusable:
            return False
    return True


WAYS = {
    OURS: ours,
    SINGLE: single,
    BATCHED: send_message_batches,
    **{f"prepared-{connections}": prepared(connections) for connections in (1, 2, 4)},
}


def _boto3() -> Any:
    import boto3

    return boto3.client("sqs")


def finished_request(target: Target, batch: Sequence[str]) -> bytes:
    """Return a signed request that sends a batch."""
    body = json.dumps({"QueueUrl": target.queue_url, "Entries": _entries(batch)}).encode()
    headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS.SendMessageBatch"}
    signer = Signer(target.endpoint.rpartition("/")[2], target.region, "sqs", headers)
    signed = signer.headers([body], target.credentials.get_frozen_credentials())
    lines = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
    return f"POST / HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n\r\n".encode() + body


def main(way: str, queue_url: str, kb: str, count: str) -> None:
    """Send ``count`` events and print the measurement."""
    send = WAYS[way](queue_url, int(kb), int(count))
    wall, cpu = time.perf_counter(), time.process_time()
    sent = send() or int(count)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(
        json.dumps(
            {"cpu_ms": 1000 * cpu / sent, "wall_ms": 1000 * wall / sent, "events_per_second": sent / wall}
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
