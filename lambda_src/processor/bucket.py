"""The payload bucket: claim checks for what does not fit an item."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from processor.aws import why
from processor.deadline import Deadline


class Unavailable(Exception):
    """S3 did not take or give an object; the message that needs it goes back to the queue."""


class Bucket:
    """S3, as the function uses it. The client is made when the first large payload comes."""

    def __init__(self, s3: Callable[[], Any], name: str, deadline: Deadline) -> None:
        self._s3 = s3
        self._name = name
        self._deadline = deadline

    def put(self, key: str, data: bytes) -> None:
        """Store an object. Raises Unavailable."""
        self._call("put_object", Key=key, Body=data)

    def get(self, key: str) -> bytes:
        """Read an object. Raises Unavailable."""
        try:
            content: bytes = self._call("get_object", Key=key)["Body"].read()
        except (BotoCoreError, OSError) as error:  # the connection may break while the body is read
            raise Unavailable(str(error)) from error
        return content

    def _call(self, operation: str, **parameters: Any) -> Any:
        if not self._deadline.allows_call():
            raise Unavailable("no time left")
        try:
            return getattr(self._s3(), operation)(Bucket=self._name, **parameters)
        except (ClientError, BotoCoreError) as error:
            raise Unavailable(why(error)) from error
