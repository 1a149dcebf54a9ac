"""An S3 that holds an archive."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from types import SimpleNamespace
from typing import Any

from tests.fakes import client_error

WRITTEN = datetime(2026, 11, 22, 14, 4, tzinfo=UTC)


class FakeS3:
    """Objects by key; pages of two, so that a reader has to turn them."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.listed: list[str] = []
        self.read: list[str] = []
        self._lock = Lock()

    def put_all(self, directory: Path) -> None:
        """Hold what lies below a directory, by its paths."""
        for file in directory.rglob("*.gz"):
            self.objects[str(file.relative_to(directory))] = file.read_bytes()

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_objects_v2"
        return SimpleNamespace(paginate=self._pages)

    def _pages(self, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        if Bucket != "archive":
            raise client_error("ListObjectsV2", "NoSuchBucket", 404)
        with self._lock:
            self.listed.append(Prefix)
        found = [_entry(key, data) for key, data in sorted(self.objects.items()) if key.startswith(Prefix)]
        yield from ({"Contents": found[start : start + 2]} for start in range(0, len(found), 2))
        if not found:
            yield {}

    def get_object(self, Bucket: str, Key: str) -> Any:  # noqa: N803
        with self._lock:
            self.read.append(Key)
        return {"Body": SimpleNamespace(read=lambda: self.objects[Key])}


def _entry(key: str, data: bytes) -> dict[str, Any]:
    etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return {"Key": key, "ETag": f'"{etag}"', "Size": len(data), "LastModified": WRITTEN}
