"""Count what each design sends and stores for a batch. The counts are the same on every machine."""

import json
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from storage.sizes import item_size
from tools.benchmarks import fixtures
from tools.benchmarks.designs import ORIGINAL, OURS, POWERTOOLS
from tools.benchmarks.mock_aws import MockAws, Request
from tools.benchmarks.worker_process import WorkerProcess, start_workers

SIZES = (1, 2, 4, 8, 20, 64, 128, 200, 400, 1000)
# A Lambda event holds 6 MB, including JSON escapes and the records' attributes (Lambda quotas).
_EVENT_BYTES = 5 * 1024 * 1024


def run(sizes: Sequence[float] = SIZES) -> dict[str, Any]:
    """Return requests and bytes stored, published and logged, by size in KB, design and kind of event.

    ``batch`` is the number of events in the batch. Counts and ``logged`` are per batch; ``item_bytes`` is the
    average size of an item as DynamoDB counts it. Baselines get no invalid events, because they fail.
    """
    with start_workers((OURS, ORIGINAL, POWERTOOLS)) as (workers, mock, directory):
        return {
            f"{kb:g}": {name: _measure(worker, mock, kb, directory) for name, worker in workers.items()}
            for kb in sizes
        }


def _measure(worker: WorkerProcess, mock: MockAws, kb: float, directory: Path) -> dict[str, Any]:
    kinds = [fixtures.VALID, fixtures.LARGE] + ([fixtures.INVALID] if worker.design == OURS else [])
    size = max(1, min(fixtures.BATCH, int(_EVENT_BYTES // (kb * fixtures.KB))))
    footprint = {}
    for kind in kinds:
        events = fixtures.write_lambda_events(directory / "events.jsonl", kb, 1, kind, size)
        mock.start_recording()
        measurement = worker.run(events)
        counts = _count(mock.stop_recording())
        footprint[kind] = {"batch": size, **counts, "logged": measurement["logged"]}
        if measurement["last_log"].startswith("{") and "_aws" in (
            line := json.loads(measurement["last_log"])
        ):
            (directive,) = line["_aws"]["CloudWatchMetrics"]
            footprint[kind]["metrics"] = len(directive["Metrics"])
    return footprint


def _count(requests: list[Request]) -> dict[str, Any]:
    operations = Counter(request.operation for request in requests)
    items = [item_size(_decoded(item)) for request in requests for item in _items(request)]
    messages = [len(message) for request in requests for message in _published(request)]
    return {
        "requests": dict(sorted(operations.items())),
        "item_bytes": round(sum(items) / len(items)) if items else 0,
        "published": len(messages),
        "published_bytes": sum(messages),
        "objects_bytes": sum(len(request.body) for request in requests if request.operation == "PutObject"),
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
