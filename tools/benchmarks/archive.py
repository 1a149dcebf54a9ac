"""Measure the archiver's CPU time per event, and the throughput of a stack with and without the archive."""

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
from tools.benchmarks.end_to_end import produce_events, warm_up
from tools.benchmarks.local_stack import LocalStack, start_stack
from tools.benchmarks.measure import compare, summarize
from tools.core.resources import Resources
from tools.ops.verify.archive import ArchiveComparison

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
    return summarize([_archive(records, size * kb * fixtures.KB) for _ in range(rounds)])


class _DiscardingS3:
    """A fake S3 that accepts every object and stores none."""

    def put(self, bucket: str, key: str, data: bytes, content_type: str) -> None:
        """Accept an object."""

    def get(self, bucket: str, key: str) -> bytes:
        """Raise the error of a missing object."""
        raise AwsError("NoSuchKey", f"{bucket}/{key}")


def _archive(records: Sequence[Mapping[str, Any]], sent_bytes: int) -> dict[str, float]:
    buckets = Buckets(_DiscardingS3(), "", "", Deadline(lambda: 60_000, CallLimits.of(60, 20)))
    batch = Batch("events", "rejected", "duplicates", buckets)
    start = time.process_time()
    batch.archive(records)
    seconds = time.process_time() - start
    if batch.archived[EVENTS] != len(records):
        raise RuntimeError(f"archived {batch.archived[EVENTS]} of {len(records)} events")
    return {"cpu_ms": 1000 * seconds / len(records), "share": batch.bytes / sent_bytes}


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
    stacks = {"without": without, "with": with_archive}
    return compare(stacks, rounds, lambda stack: _send(stack, count))


def _send(stack: LocalStack, count: int) -> dict[str, float]:
    resources = Resources.of_stack(stack.state_dir)
    archive = ArchiveComparison(resources, everything=True) if resources.archive_bucket else None
    warm_up(stack)
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
        "events_per_second": count / drained,
        "archived_per_second": count / archived,
        "emulator_cpu_ms": 1000 * (emulator_after - emulator) / count,
        "workers_cpu_ms": 1000 * (workers_after - workers) / count,
    }


def _wait_until_archived(archive: ArchiveComparison | None, expected: int) -> int:
    """Wait until this many events are archived. Return the number of archived events."""
    if archive is None:
        return 0
    deadline = time.perf_counter() + _TIMEOUT_SECONDS
    while True:
        archive.read_new()
        archived = archive.result.events + archive.result.repeated
        if archived >= expected:
            return archived
        if time.perf_counter() > deadline:
            raise TimeoutError(f"{archived} of {expected} events were archived after {_TIMEOUT_SECONDS:g} s")
        time.sleep(0.5)
