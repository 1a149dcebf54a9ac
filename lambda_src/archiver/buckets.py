"""The two buckets: S3 by botocore alone, retries bounded, and no call begun that could not end in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from archiver.lines import UnreadableItem

# Lambda repeats the batch in any case.
_ATTEMPTS = 2
# botocore's standard retry mode waits up to this before a second attempt (botocore.retries.standard).
_LONGEST_PAUSE = 1.0


class Unavailable(Exception):
    """S3 did not take or give an object: the batch must come again."""


def s3_client(function_timeout: float) -> Any:
    """An S3 client that gives a call up in a twentieth of the function's timeout, and after 5 s at most."""
    timeout = _call_timeout(function_timeout)
    config = Config(
        connect_timeout=timeout,
        read_timeout=timeout,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        parameter_validation=False,
        user_agent="rt-pipeline",
    )
    return botocore.session.get_session().create_client("s3", config=config)


def _call_timeout(function_timeout: float) -> float:
    return min(5.0, function_timeout / 20)


class Buckets:
    """The payload bucket, to read, and the archive bucket, to write."""

    def __init__(
        self,
        s3: Any,
        payloads: str,
        archive: str,
        *,
        remaining_millis: Callable[[], int],
        function_timeout: float,
    ) -> None:
        self._s3 = s3
        self._payloads = payloads
        self._archive = archive
        self._remaining_millis = remaining_millis
        # Every attempt may take its timeout to connect and again to answer.
        self._reserve = 2 * _ATTEMPTS * _call_timeout(function_timeout) + _LONGEST_PAUSE

    def payload(self, key: str) -> bytes:
        """Read an object of the payload bucket.

        Raises UnreadableItem where it is gone for good, which S3 tells only who may list the bucket, and
        Unavailable otherwise.
        """
        try:
            content: bytes = self._call("get_object", self._payloads, Key=key)["Body"].read()
        except (BotoCoreError, OSError) as error:  # the connection may break while the body is read
            raise Unavailable(f"reading {key}: {error}") from error
        return content

    def put(self, key: str, data: bytes) -> None:
        """Write an object of the archive. Raises Unavailable."""
        self._call("put_object", self._archive, Key=key, Body=data, ContentType="application/gzip")

    def _call(self, operation: str, bucket: str, **parameters: Any) -> Any:
        if self._remaining_millis() / 1000 < self._reserve:
            raise Unavailable(f"no time is left for {operation} of {parameters['Key']}")
        try:
            return getattr(self._s3, operation)(Bucket=bucket, **parameters)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "NoSuchKey":
                raise UnreadableItem(
                    f"its payload is gone: there is no object {parameters['Key']}"
                ) from error
            raise Unavailable(f"{operation} of {parameters['Key']}: {error}") from error
        except BotoCoreError as error:
            raise Unavailable(f"{operation} of {parameters['Key']}: {error}") from error
