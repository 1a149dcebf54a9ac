"""Measure the largest steps of processing and sending an event, each in isolation."""

import io
import json
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, redirect_stdout
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from itertools import islice
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import botocore.session

import contract
from aws_http.config import AwsConfig
from aws_http.signing import StaticCredentials
from common.deadline import CallLimits, Deadline
from contract import decoding
from processor.alerts import Publisher
from processor.batch import Batch
from processor.dynamodb import DynamoDB
from processor.payload_bucket import PayloadBucket
from processor.settings import Settings
from processor.sns import SNS
from processor.store import Store
from producer.generate.events import SEEDED_START, Events, RunSpec
from storage.payload import encode_payload
from tools.benchmarks import fixtures
from tools.benchmarks.measure import compare
from tools.benchmarks.mock_aws import MockAws
from tools.benchmarks.worker_process import CREDENTIALS
from tools.ops.invoke import FUNCTION_VARIABLES

_REGION = CREDENTIALS["AWS_REGION"]


# Events in a round, by their size in KB: whole batches.
COUNTS = {1: 400, 20: 100, 200: 20}


def run(rounds: int = 9, counts: Mapping[int, int] = COUNTS) -> dict[str, Any]:
    """Return CPU milliseconds of each step by the size of the event. ``counts`` are the events in a round."""
    with MockAws() as mock:
        return {f"{kb}": _measure(rounds, kb, count, mock) for kb, count in counts.items()}


def _measure(rounds: int, kb: int, count: int, mock: MockAws) -> dict[str, Any]:
    texts = list(islice(fixtures.generate_bodies(kb), count))
    batches = fixtures.lambda_events(kb, count // fixtures.BATCH)
    limits = CallLimits.of(30)
    with (
        _connect_to_reader() as sock,
        closing(DynamoDB(_config(mock.endpoint), limits)) as dynamodb,
        closing(SNS(_config(mock.endpoint), limits)) as sns,
        closing(_botocore_client(mock.endpoint)) as botocore_client,
    ):
        steps = _function(batches, dynamodb, sns, limits)
        steps |= _steps(kb, texts, dynamodb.call, botocore_client.put_item, sock.sendall)
        for step in steps.values():
            step()  # warm up connections and caches
        results = compare(steps, rounds, lambda step: {"cpu_ms": _cpu_ms(step, count)})
    return {name: measured["cpu_ms"] for name, measured in results.items()}


def _cpu_ms(step: Callable[[], None], count: int) -> float:
    # The time of this thread only, because another thread reads from the socket.
    start = time.thread_time()
    step()
    return 1000 * (time.thread_time() - start) / count


def _function(
    batches: list[dict[str, Any]], dynamodb: DynamoDB, sns: SNS, limits: CallLimits
) -> dict[str, Callable[[], None]]:
    """Return the whole function, with and without the check of nesting, keys and numbers (ADR 35)."""
    settings = Settings.read(FUNCTION_VARIABLES)
    deadline = Deadline(lambda: 30_000, limits)
    parser = json.JSONDecoder(parse_float=Decimal)
    unchecked = SimpleNamespace(decode=lambda body: (parser.decode(body), []))

    def invoke() -> None:
        with redirect_stdout(io.StringIO()):
            for event in batches:
                batch = Batch(
                    settings,
                    deadline,
                    Store(dynamodb, deadline),
                    PayloadBucket(_no_s3, settings.payload_bucket, deadline),
                    Publisher(sns, settings.alerts_topic_arn, deadline),
                    request_id="0",
                    now=datetime.now(UTC),
                )
                assert not batch.process(event["Records"])

    def invoke_unchecked() -> None:
        with patch.multiple(decoding, _fast=unchecked, may_break_limits=lambda *_: False):
            invoke()

    return {
        "function: all of it": invoke,
        "function: all but the check of nesting, keys and numbers": invoke_unchecked,
    }


def _no_s3() -> Any:
    raise AssertionError("no event of the benchmark is above 400 KB")


def _steps(
    kb: int,
    texts: list[str],
    call: Callable[[str, dict[str, Any]], Any],
    put_item: Callable[..., Any],
    send: Callable[[bytes], None],
) -> dict[str, Callable[[], None]]:
    events = [contract.decode(text) for text in texts]
    raw = [text.encode() for text in texts]
    generate = Events(RunSpec(fixtures.SEED, SEEDED_START, target_bytes=kb * fixtures.KB)).message
    escaped = [b"".join(generate(number).escaped) for number in range(len(texts))]
    compressed = [encode_payload(body).data for body in raw]
    parser = json.JSONDecoder(parse_float=Decimal)
    now = datetime.now(UTC)
    puts = [
        {"TableName": "events", "Item": {"event_id": {"S": "1"}, "payload": {"B": data}}}
        for data in compressed
    ]
    return {
        "function: parse the JSON": lambda: _each(contract.decode, texts),
        "function: of that, Python's own parser": lambda: _each(parser.decode, texts),
        "function: validate it": lambda: _each(lambda event: contract.validate(event, now), events),
        "function: compress it": lambda: _each(encode_payload, raw),
        "function: SHA-256 of the content": lambda: _each(contract.content_hash, texts),
        "function: base64 of what is stored": lambda: _each(b64encode, compressed),
        "function: the whole PutItem, base64 included": lambda: _each(
            lambda request: call("PutItem", request), puts
        ),
        "for comparison: the same PutItem by botocore": lambda: _each(
            lambda request: put_item(**request), puts
        ),
        "producer: make the event": lambda: _each(generate, range(len(texts))),
        "producer: SHA-256 for the signature": lambda: _each(sha256, escaped),
        "producer: the system's copy into the socket": lambda: _each(send, escaped),
    }


def _each(function: Callable[[Any], Any], values: Iterable[Any]) -> None:
    for value in values:
        function(value)


def _config(endpoint: str) -> AwsConfig:
    credentials = StaticCredentials(
        CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"], None
    )
    return AwsConfig(_REGION, credentials, {"dynamodb": endpoint, "sns": endpoint}, None)


def _botocore_client(endpoint: str) -> Any:
    return botocore.session.Session().create_client(
        "dynamodb",
        region_name=_REGION,
        endpoint_url=endpoint,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
    )


@contextmanager
def _connect_to_reader() -> Iterator[socket.socket]:
    """Open a loopback connection whose other end reads and discards everything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        sock = socket.create_connection(server.getsockname())
        peer, _ = server.accept()
    buffer = bytearray(1 << 20)

    def read() -> None:
        while peer.recv_into(buffer):
            pass

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield sock
    finally:
        sock.close()
        thread.join()
        peer.close()
