"""A fake S3 client over an archive in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from types import SimpleNamespace
from typing import Any

from tests.fakes import client_error

LAST_MODIFIED = datetime(2026, 11, 22, 14, 4, tzinfo=UTC)


class FakeS3:
    """Objects by key. A listing has two objects a page, so that readers must paginate."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.listed_prefixes: list[str] = []
        self.read_keys: list[str] = []
        self._lock = Lock()

    def put_all(self, directory: Path) -> None:
        """Add the objects of a directory; their paths are the keys."""
        for file in directory.rglob("*.gz"):
            self.objects[str(file.relative_to(directory))] = file.read_bytes()

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_objects_v2"
        return SimpleNamespace(paginate=self._pages)

    def _pages(self, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        if Bucket != "archive":
            raise client_error("ListObjectsV2", "NoSuchBucket", 404)
        with self._lock:
            self.listed_prefixes.append(Prefix)
        entries = [_entry(key, data) for key, data in sorted(self.objects.items()) if key.startswith(Prefix)]
        yield from ({"Contents": entries[start : start + 2]} for start in range(0, len(entries), 2))
        if not entries:
            yield {}

    def get_object(self, Bucket: str, Key: str) -> Any:  # noqa: N803
        with self._lock:
            self.read_keys.append(Key)
        return {"Body": SimpleNamespace(read=lambda limit=None: self.objects[Key][:limit])}


def _entry(key: str, data: bytes) -> dict[str, Any]:
    etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return {"Key": key, "ETag": f'"{etag}"', "Size": len(data), "LastModified": LAST_MODIFIED}
