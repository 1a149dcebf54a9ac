"""The payload bucket: claim checks for payloads that do not fit an item."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from aws_http.errors import AwsError
from common.deadline import Deadline


class Unavailable(Exception):
    """S3 did not store or return an object; the message that needs it returns to the queue."""


class Objects(Protocol):
    """S3, as `PayloadBucket` uses it (see `common.s3`). Both methods raise AwsError."""

    def put(self, bucket: str, key: str, data: bytes) -> None: ...
    def get(self, bucket: str, key: str) -> bytes: ...


class PayloadBucket:
    """The bucket. ``s3`` returns the client and is called when the first large payload comes."""

    def __init__(self, s3: Callable[[], Objects], name: str, deadline: Deadline) -> None:
        self._s3 = s3
        self._name = name
        self._deadline = deadline

    def put(self, key: str, data: bytes) -> None:
        """Store an object. Raises Unavailable."""
        try:
            self._ready().put(self._name, key, data)
        except AwsError as error:
            raise Unavailable(str(error)) from error

    def get(self, key: str) -> bytes:
        """Return an object's content. Raises Unavailable."""
        try:
            return self._ready().get(self._name, key)
        except AwsError as error:
            raise Unavailable(str(error)) from error

    def _ready(self) -> Objects:
        # Before the deadline is checked, because the first call takes some of the time.
        s3 = self._s3()
        if not self._deadline.allows_call():
            raise Unavailable("no time left")
        return s3
