"""The archiver: its CPU time per event, and what the archive costs the processor on one machine."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from archiver.batch import Batch
from archiver.buckets import Buckets
from archiver.lines import EVENTS
from aws_http.errors import AwsError
from common.deadline import CallLimits, Deadline
from processor.items import event_item
from processor.messages import Message as Received
from storage.payload import add_payload
from tools.benchmarks import fixtures
from tools.benchmarks.end_to_end import produce_events
from tools.benchmarks.measure import in_turn, spread
from tools.benchmarks.worker_process import RunningStack, stack
from tools.core.resources import Resources
from tools.ops.verify.archive import Archive

# Events in a batch: of 200 KB, as many as make Lambda's 6 MB.
BATCHES = {1: 500, 20: 200, 200: 50}
COUNT = 2_000
_WITHIN = 300.0


def run(rounds: int = 5, batches: Mapping[int, int] = BATCHES, count: int = COUNT) -> dict[str, Any]:
    """CPU of the archiver by size in KB, and events/s with the archive and without it."""
    handled = {f"{kb}": handler(kb, size, rounds) for kb, size in batches.items()}
    with stack() as without, stack(archive=True) as with_it:
        return {"handler": handled, "end_to_end": end_to_end(without, with_it, rounds, count)}


def handler(kb: int, size: int, rounds: int) -> dict[str, Any]:
    """CPU milliseconds per event for batches of ``size`` events, and bytes archived of those sent."""
    records = _records(kb, size)
    results = [_archive(records) for _ in range(rounds)]
    return {
        "cpu_ms": spread([1000 * cpu / size for cpu, _ in results]),
        "share": spread([stored / (size * kb * fixtures.KB) for _, stored in results]),
    }


class _Nowhere:
    """An S3 that accepts every object at once and has none."""

    def put(self, bucket: str, key: str, data: bytes, content_type: str) -> None:
        """Accept an object."""

    def get(self, bucket: str, key: str) -> bytes:
        """Return an object."""
        raise AwsError("NoSuchKey", key)


def _archive(records: Sequence[Mapping[str, Any]]) -> tuple[float, int]:
    """Archive a batch; returns the seconds of CPU and the bytes written."""
    buckets = Buckets(_Nowhere(), "", "", Deadline(lambda: 60_000, CallLimits.of(60, 20)))
    batch = Batch("events", "rejected", buckets)
    began = time.process_time()
    batch.archive(records)
    took = time.process_time() - began
    if batch.archived[EVENTS] != len(records):
        raise RuntimeError(f"archived {batch.archived[EVENTS]} of {len(records)} events")
    return took, batch.bytes


def _records(kb: int, count: int) -> list[dict[str, Any]]:
    now = datetime(2026, 11, 22, 14, 3, 9, tzinfo=UTC)
    records = []
    for number, made in enumerate(islice(fixtures.messages(kb, fixtures.VALID), count)):
        record = {
            "messageId": f"{number}",
            "body": made.body,
            "attributes": {"SentTimestamp": "1795399387000"},
        }
        message = Received.read(record, now)
        item, _ = add_payload(
            event_item(message, large_order=False), message.payload, message.content_hash, rejected=False
        )
        records.append(
            {
                "eventID": f"{number}",
                "eventName": "INSERT",
                "eventSourceARN": "arn:aws:dynamodb:us-east-1:000000000000:table/events/stream/1",
                "dynamodb": {"SequenceNumber": f"{number}", "NewImage": item},
            }
        )
    return records


def end_to_end(without: RunningStack, with_it: RunningStack, rounds: int, count: int) -> dict[str, Any]:
    """Events/s until the queue is drained, of 1 KB, on two stacks in turn; and until all are archived."""
    stacks = (without, with_it)
    results = in_turn(stacks, rounds, lambda running, _: _send(running, count))
    return {
        name: {
            "events_per_second": spread([count / one["drained"] for one in measured]),
            "emulator_cpu_ms": spread([one["emulator"] for one in measured]),
            "workers_cpu_ms": spread([one["workers"] for one in measured]),
            "archived_per_second": spread([count / one["archived"] for one in measured]),
        }
        for name, measured in zip(("without", "with"), results, strict=True)
    }


def _send(running: RunningStack, count: int) -> dict[str, float]:
    resources = Resources.of_stack(running.state_dir)
    archive = Archive(resources) if resources.archive_bucket else None
    produce_events(running, kb=1, count=50, seed=fixtures.SEED + 1)
    running.drained_at(_WITHIN)
    running.forget_events()
    already = _archived(archive, 0)
    emulator, workers = running.cpu_seconds()
    began = time.perf_counter()
    produce_events(running, kb=1, count=count, seed=fixtures.SEED)
    drained = running.drained_at(_WITHIN) - began
    if archive is not None:
        _archived(archive, already + count)
    archived = time.perf_counter() - began
    emulator_after, workers_after = running.cpu_seconds()
    running.forget_events()
    return {
        "drained": drained,
        "archived": archived,
        "emulator": 1000 * (emulator_after - emulator) / count,
        "workers": 1000 * (workers_after - workers) / count,
    }


def _archived(archive: Archive | None, wanted: int) -> int:
    """Wait until so many events are archived; returns how many are."""
    if archive is None:
        return 0
    deadline = time.perf_counter() + _WITHIN
    while True:
        archive.read_new()
        there = archive.rows[EVENTS].total()
        if there >= wanted:
            return there
        if time.perf_counter() > deadline:
            raise TimeoutError(f"{there} of {wanted} events were archived after {_WITHIN:g} s")
        time.sleep(0.5)
