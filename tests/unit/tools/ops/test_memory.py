"""The memory of verify, restore and erase does not grow with the archive.

``python -m tests.unit.tools.ops.test_memory verify 1000`` prints the peak of a process with a million rows.
"""

from __future__ import annotations

import gzip
import json
import resource
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.tools.fakes import FakeDynamoDB, pipeline
from tools.core.resources import Resources
from tools.ops.erase.archive import ArchiveLines
from tools.ops.erase.matching import Customer
from tools.ops.erase.search import Search
from tools.ops.recover.archive_reader import Selection
from tools.ops.recover.restore import Restore
from tools.ops.verify.archive import ArchiveComparison

LINES = 20
HOUR = "dt=2026-11-22/hour=14"
LINE = (
    json.dumps(
        {
            "message_id": "@",
            "event_id": "@",
            "received_at": "2026-11-22T14:00:00.000Z",
            "recorded_at": "2026-11-22T14:00:01.000Z",
            "content_hash": "0" * 64,
            "stored_content_hash": "0" * 64,
            "line_version": 2,
            "claimed_origin_id": "customer-1",
            "expires_at": 9_999_999_999,
        }
    )
    + "\n"
)


class Archive:
    """An archive of duplicates, which are made up when their object is read."""

    def __init__(self, objects: int, lines: int = LINES) -> None:
        self.objects, self.lines = objects, lines

    def get_paginator(self, operation: str) -> Any:
        name = {"list_objects_v2": "Contents", "list_object_versions": "Versions"}[operation]

        def paginate(Bucket: str, Prefix: str) -> Iterator[Any]:  # noqa: N803
            for number in range(self.objects if Prefix == "duplicates/" else 0):
                entry = {"Key": f"duplicates/{HOUR}/{number}.json.gz", "Size": 1, "IsLatest": True}
                entry |= {"LastModified": datetime(2026, 11, 22, tzinfo=UTC), "VersionId": "1", "ETag": ""}
                yield {name: [entry]}

        return SimpleNamespace(paginate=paginate)

    def get_object(self, Key: str, **_: Any) -> Any:  # noqa: N803
        lines = "".join(LINE.replace("@", f"{Key} {number}") for number in range(self.lines))
        data = gzip.compress(lines.encode(), 0)
        return {"Body": SimpleNamespace(read=lambda limit: data)}


def verify(resources: Resources) -> int:
    return ArchiveComparison(resources, everything=True).compare(wait=0).duplicates


def restore(resources: Resources) -> int:
    return Restore(resources, Selection(), dry_run=True).run(lambda _: None).restored.total()


def erase(resources: Resources) -> int:
    search = Search(resources, Customer("customer-1"), frozenset())
    ArchiveLines(search).find()
    return len(search.mentions)


@pytest.mark.parametrize("command", [verify, restore, erase])
def test_fifteen_times_as_many_rows_take_no_more_memory(command: Callable[[Resources], int]) -> None:
    def peak(objects: int) -> int:
        resources = pipeline(archive=True, s3=Archive(objects), dynamodb=FakeDynamoDB())
        tracemalloc.start()
        found = command(resources)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found == LINES * objects
        return used

    peak(1)  # what is imported or cached once
    # How many objects are in progress differs; a list of the rows would take four times as much.
    assert peak(600) < 2.5 * max(peak(40) for _ in range(3))


if __name__ == "__main__":
    archive = Archive(int(sys.argv[2]), lines=1_000)
    found = globals()[sys.argv[1]](pipeline(archive=True, s3=archive, dynamodb=FakeDynamoDB()))
    print(f"{found:,} rows, {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")
