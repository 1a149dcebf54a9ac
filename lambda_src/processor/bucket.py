"""The payload bucket: claim checks for what does not fit an item."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from processor.aws import CallError
from processor.deadline import Deadline


class Unavailable(Exception):
    """S3 did not take or give an object; the message that needs it goes back to the queue."""


class Objects(Protocol):
    """S3, as the function uses it. Both raise CallError."""

    def put(self, bucket: str, key: str, data: bytes) -> None: ...
    def get(self, bucket: str, key: str) -> bytes: ...


class Bucket:
    """One bucket of S3's, which is asked for when the first large payload comes."""

    def __init__(self, s3: Callable[[], Objects], name: str, deadline: Deadline) -> None:
        self._s3 = s3
        self._name = name
        self._deadline = deadline

    def put(self, key: str, data: bytes) -> None:
        """Store an object. Raises Unavailable."""
        try:
            self._ready().put(self._name, key, data)
        except CallError as error:
            raise Unavailable(str(error)) from error

    def get(self, key: str) -> bytes:
        """Read an object. Raises Unavailable."""
        try:
            return self._ready().get(self._name, key)
        except CallError as error:
            raise Unavailable(str(error)) from error

    def _ready(self) -> Objects:
        # Before the time is looked at: the first time, this takes some of it.
        s3 = self._s3()
        if not self._deadline.allows_call():
            raise Unavailable("no time left")
        return s3
