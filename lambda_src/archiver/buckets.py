"""The payload bucket, which the archiver reads, and the archive bucket, which it writes."""

from collections.abc import Callable
from typing import Protocol

from archiver.lines import UnreadableItem
from archiver.objects import Object
from aws_http.errors import AwsError
from common.deadline import CallLimits, Deadline

# A batch has many calls, and Lambda repeats a batch that fails, so one call gets a small share of the time.
_SHARE = 20


class Unavailable(Exception):
    """S3 did not store or return an object, so Lambda must deliver the batch again."""


class Objects(Protocol):
    """S3, as `Buckets` uses it (see `common.s3`). Both methods raise AwsError."""

    def put(self, bucket: str, key: str, data: bytes, content_type: str) -> None: ...
    def get(self, bucket: str, key: str) -> bytes: ...


def call_limits(function_timeout: float) -> CallLimits:
    """Return the limits of one call to S3. ``function_timeout`` is in seconds."""
    return CallLimits.of(function_timeout, _SHARE)


def deadline(remaining_millis: Callable[[], int], limits: CallLimits) -> Deadline:
    """Return the deadline of an invocation. botocore may take its timeout to connect and again to answer."""
    return Deadline(remaining_millis, limits._replace(timeout=2 * limits.timeout))


class Buckets:
    """Both buckets, within the deadline of one invocation."""

    def __init__(self, s3: Objects, payloads: str, archive: str, deadline: Deadline) -> None:
        self._s3 = s3
        self._payloads = payloads
        self._archive = archive
        self._deadline = deadline

    def payload(self, key: str) -> bytes:
        """Return an object of the payload bucket.

        Raises UnreadableItem if it does not exist (S3 says so only to a role that may list the bucket), and
        Unavailable otherwise.
        """
        self._check_deadline("reading", key)
        try:
            return self._s3.get(self._payloads, key)
        except AwsError as error:
            if error.code == "NoSuchKey":
                raise UnreadableItem(f"its payload is gone: there is no object {key}") from error
            raise Unavailable(f"reading {key}: {error}") from error

    def put(self, made: Object) -> None:
        """Write an object of the archive. Raises Unavailable."""
        self._check_deadline("writing", made.key)
        try:
            self._s3.put(self._archive, made.key, made.data, made.content_type)
        except AwsError as error:
            raise Unavailable(f"writing {made.key}: {error}") from error

    def _check_deadline(self, action: str, key: str) -> None:
        if not self._deadline.allows_call():
            raise Unavailable(f"no time left for {action} {key}")
