"""What each design sends and stores for a batch: counted, not timed, and the same on every machine."""

from __future__ import annotations

import json
import tempfile
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from storage.sizes import item_size
from tools.benchmarks import fixtures
from tools.benchmarks.designs import ORIGINAL, OURS, POWERTOOLS
from tools.benchmarks.hosting import WorkerProcess
from tools.benchmarks.mock_aws import MockAws, Request

SIZES = (1, 2, 4, 8, 20, 64, 128, 200, 400, 1000)
# A Lambda event holds 6 MB, what JSON makes of quotes and the records' attributes included (Lambda quotas).
_EVENT_BYTES = 5 * 1024 * 1024


def run(sizes: Sequence[float] = SIZES) -> dict[str, Any]:
    """By size in KB, by design and by kind of event: requests, bytes stored, published and logged.

    ``batch`` is how many events went together; counts and ``logged`` are for the batch, ``item_bytes`` is one
    item's average size as DynamoDB counts it. The rivals reject invalid events by failing, so they have none.
    """
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as running:
        directory = Path(temporary)
        sink = running.enter_context(MockAws())
        hosts = [
            running.enter_context(WorkerProcess(design, directory / design.name, sink.endpoint))
            for design in (OURS, ORIGINAL, POWERTOOLS)
        ]
        return {
            f"{kb:g}": {host.design.name: _of(host, sink, kb, directory) for host in hosts} for kb in sizes
        }


def batch_of(kb: float) -> int:
    """How many events of this size an invocation gets."""
    return max(1, min(fixtures.BATCH, int(_EVENT_BYTES // (kb * fixtures.KB))))


def _of(host: WorkerProcess, sink: MockAws, kb: float, directory: Path) -> dict[str, Any]:
    kinds = [fixtures.VALID, fixtures.LARGE] + ([fixtures.INVALID] if host.design == OURS else [])
    found = {}
    for kind in kinds:
        size = batch_of(kb)
        events = fixtures.write_lambda_events(directory / "events.jsonl", kb, 1, kind, size)
        sink.keep()
        answer = host.run(events)
        found[kind] = {"batch": size, **_count(sink.taken()), "logged": answer["logged"]}
        if answer["last_log"].startswith("{") and "_aws" in (line := json.loads(answer["last_log"])):
            (directive,) = line["_aws"]["CloudWatchMetrics"]
            found[kind]["metrics"] = len(directive["Metrics"])
    return found


def _count(taken: list[Request]) -> dict[str, Any]:
    requests = Counter(request.operation for request in taken if request.operation != "control")
    items = [item_size(_decoded(item)) for request in taken for item in _items(request)]
    alerts = [len(text) for request in taken for text in _published(request)]
    return {
        "requests": dict(sorted(requests.items())),
        "item_bytes": round(sum(items) / len(items)) if items else 0,
        "published": len(alerts),
        "published_bytes": sum(alerts),
        "objects_bytes": sum(len(request.body) for request in taken if request.operation == "PutObject"),
    }


def _items(request: Request) -> Iterator[dict[str, Any]]:
    if request.operation == "PutItem":
        yield json.loads(request.body)["Item"]
    elif request.operation == "TransactWriteItems":
        for action in json.loads(request.body)["TransactItems"]:
            if "Put" in action:
                yield action["Put"]["Item"]


def _decoded(item: dict[str, Any]) -> dict[str, Any]:
    return {name: {"B": b64decode(value["B"])} if "B" in value else value for name, value in item.items()}


def _published(request: Request) -> Iterator[str]:
    if request.operation in ("Publish", "PublishBatch"):
        for name, value in parse_qsl(request.body.decode()):
            if name == "Message" or name.endswith(".Message"):
                yield value
