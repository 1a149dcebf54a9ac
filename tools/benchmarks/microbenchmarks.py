"""What the largest parts of the work on an event cost, each by itself."""

from __future__ import annotations

import socket
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from typing import Any

import botocore.session

import contract
from aws_http.config import AwsConfig
from aws_http.signing import StaticCredentials
from common.deadline import CallLimits
from processor.dynamodb import DynamoDB
from producer.generate.messages import Message
from storage.payload import encode_payload
from tools.benchmarks import fixtures
from tools.benchmarks.hosting import CREDENTIALS
from tools.benchmarks.measure import in_turn, spread
from tools.benchmarks.mock_aws import MockAws

_REGION = CREDENTIALS["AWS_REGION"]


def run(rounds: int = 9, kb: int = 200, count: int = 20) -> dict[str, Any]:
    """CPU milliseconds of each part for an event of ``kb``, over ``count`` events a round."""
    messages = list(islice(fixtures.messages(kb), count))
    with (
        MockAws() as sink,
        _drain() as sock,
        closing(DynamoDB(_access(sink.endpoint), CallLimits.of(30))) as ours,
        closing(_botocore(sink.endpoint)) as botocores,
    ):
        parts = _parts(kb, messages, ours.call, botocores.put_item, sock.sendall)
        for part in parts.values():
            part()  # connections, caches
        results = in_turn(list(parts), rounds, lambda name, _: _cpu_ms(parts[name], count))
    return {f"{kb}": {name: spread(found) for name, found in zip(parts, results, strict=True)}}


def _cpu_ms(part: Callable[[], None], count: int) -> float:
    # Of this thread alone: what reads from the socket is another one.
    began = time.thread_time()
    part()
    return 1000 * (time.thread_time() - began) / count


def _parts(
    kb: int,
    messages: list[Message],
    call: Callable[[str, dict[str, Any]], Any],
    put_item: Callable[..., Any],
    send: Callable[[bytes], None],
) -> dict[str, Callable[[], None]]:
    texts = [message.body for message in messages]
    events = [contract.decode(text) for text in texts]
    raw = [text.encode() for text in texts]
    escaped = [b"".join(message.escaped) for message in messages]
    packed = [encode_payload(body).data for body in raw]
    now = datetime.now(UTC)
    made = fixtures.messages(kb)
    puts = [
        {"TableName": "events", "Item": {"event_id": {"S": "1"}, "payload": {"B": data}}} for data in packed
    ]
    return {
        "function: parse the JSON": lambda: _each(contract.decode, texts),
        "function: hold it against the contract": lambda: _each(
            lambda event: contract.validate(event, now), events
        ),
        "function: compress it (zlib)": lambda: _each(encode_payload, raw),
        "function: SHA-256 of the content": lambda: _each(contract.content_hash, texts),
        "function: base64 of what is stored": lambda: _each(b64encode, packed),
        "function: the whole PutItem, base64 included": lambda: _each(
            lambda request: call("PutItem", request), puts
        ),
        "for comparison: the same PutItem by botocore": lambda: _each(
            lambda request: put_item(**request), puts
        ),
        "producer: make the event": lambda: _each(
            lambda message: message.escaped, islice(made, len(messages))
        ),
        "producer: SHA-256 for the signature": lambda: _each(sha256, escaped),
        "producer: the system's copy into the socket": lambda: _each(send, escaped),
    }


def _each(work: Callable[[Any], Any], values: Iterable[Any]) -> None:
    for value in values:
        work(value)


def _access(endpoint: str) -> AwsConfig:
    credentials = StaticCredentials(
        CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"], None
    )
    return AwsConfig(_REGION, credentials, {"dynamodb": endpoint}, None)


def _botocore(endpoint: str) -> Any:
    return botocore.session.Session().create_client(
        "dynamodb",
        region_name=_REGION,
        endpoint_url=endpoint,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )


@contextmanager
def _drain() -> Iterator[socket.socket]:
    """A connection over the loopback interface whose other end reads whatever comes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        sock = socket.create_connection(server.getsockname())
        other, _ = server.accept()
    buffer = bytearray(1 << 20)

    def read() -> None:
        while other.recv_into(buffer):
            pass

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield sock
    finally:
        sock.close()
        thread.join()
        other.close()
