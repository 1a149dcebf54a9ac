"""Measure the archiver's CPU time per event, and the throughput of a stack with and without the archive."""

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
from processor.messages import Message
from storage.payload import add_payload
from tools.benchmarks import fixtures
from tools.benchmarks.end_to_end import produce_events
from tools.benchmarks.local_stack import LocalStack, start_stack
from tools.benchmarks.measure import interleave, spread
from tools.core.resources import Resources
from tools.ops.verify.archive import Archive

# Events in a batch by size in KB. 50 events of 200 KB reach Lambda's 6 MB.
BATCHES = {1: 500, 20: 200, 200: 50}
COUNT = 2_000
_TIMEOUT_SECONDS = 300.0


def run(rounds: int = 5, batches: Mapping[int, int] = BATCHES, count: int = COUNT) -> dict[str, Any]:
    """Return the archiver's CPU time by size in KB, and events/s with and without the archive."""
    cpu = {f"{kb}": measure_handler(kb, size, rounds) for kb, size in batches.items()}
    with start_stack() as without, start_stack(archive=True) as with_archive:
        return {"handler": cpu, "end_to_end": measure_stacks(without, with_archive, rounds, count)}


def measure_handler(kb: int, size: int, rounds: int) -> dict[str, Any]:
    """Return CPU milliseconds per event in batches of ``size``, and the archived share of the sent bytes."""
    records = _records(kb, size)
    results = [_archive(records) for _ in range(rounds)]
    return {
        "cpu_ms": spread([1000 * cpu / size for cpu, _ in results]),
        "share": spread([stored / (size * kb * fixtures.KB) for _, stored in results]),
    }


class _DiscardingS3:
    """A fake S3 that accepts every object and stores none."""

    def put(self, bucket: str, key: str, data: bytes, content_type: str) -> None:
        """Accept an object."""

    def get(self, bucket: str, key: str) -> bytes:
        """Raise the error of a missing object."""
        raise AwsError("NoSuchKey", f"{bucket}/{key}")


def _archive(records: Sequence[Mapping[str, Any]]) -> tuple[float, int]:
    """Archive a batch. Return the CPU seconds and the bytes written."""
    buckets = Buckets(_DiscardingS3(), "", "", Deadline(lambda: 60_000, CallLimits.of(60, 20)))
    batch = Batch("events", "rejected", "duplicates", buckets)
    start = time.process_time()
    batch.archive(records)
    seconds = time.process_time() - start
    if batch.archived[EVENTS] != len(records):
        raise RuntimeError(f"archived {batch.archived[EVENTS]} of {len(records)} events")
    return seconds, batch.bytes


def _records(kb: int, count: int) -> list[dict[str, Any]]:
    now = datetime(2026, 11, 22, 14, 3, 9, tzinfo=UTC)
    records = []
    for number, body in enumerate(islice(fixtures.generate_bodies(kb, fixtures.VALID), count)):
        record = {
            "messageId": f"{number}",
            "body": body,
            "attributes": {"SentTimestamp": "1795399387000"},
        }
        message = Message.read(record, now)
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


def measure_stacks(without: LocalStack, with_archive: LocalStack, rounds: int, count: int) -> dict[str, Any]:
    """Return events/s of 1 KB until the queue is empty and until all are archived, on both stacks."""
    results = interleave((without, with_archive), rounds, lambda stack: _send(stack, count))
    return {
        name: {
            "events_per_second": spread([count / result["drained"] for result in measured]),
            "emulator_cpu_ms": spread([result["emulator"] for result in measured]),
            "workers_cpu_ms": spread([result["workers"] for result in measured]),
            "archived_per_second": spread([count / result["archived"] for result in measured]),
        }
        for name, measured in zip(("without", "with"), results, strict=True)
    }


def _send(stack: LocalStack, count: int) -> dict[str, float]:
    resources = Resources.of_stack(stack.state_dir)
    archive = Archive(resources) if resources.archive_bucket else None
    produce_events(stack, kb=1, count=50, seed=fixtures.SEED + 1)
    stack.wait_until_drained(_TIMEOUT_SECONDS)
    stack.delete_events()
    archived_before = _wait_until_archived(archive, 0)
    emulator, workers = stack.cpu_seconds()
    start = time.perf_counter()
    produce_events(stack, kb=1, count=count, seed=fixtures.SEED)
    drained = stack.wait_until_drained(_TIMEOUT_SECONDS) - start
    if archive is not None:
        _wait_until_archived(archive, archived_before + count)
    archived = time.perf_counter() - start
    emulator_after, workers_after = stack.cpu_seconds()
    stack.delete_events()
    return {
        "drained": drained,
        "archived": archived,
        "emulator": 1000 * (emulator_after - emulator) / count,
        "workers": 1000 * (workers_after - workers) / count,
    }


def _wait_until_archived(archive: Archive | None, expected: int) -> int:
    """Wait until this many events are archived. Return the number of archived events."""
    if archive is None:
        return 0
    deadline = time.perf_counter() + _TIMEOUT_SECONDS
    while True:
        archive.read_new()
        archived = archive.rows[EVENTS].total()
        if archived >= expected:
            return archived
        if time.perf_counter() > deadline:
            raise TimeoutError(f"{archived} of {expected} events were archived after {_TIMEOUT_SECONDS:g} s")
        time.sleep(0.5)
