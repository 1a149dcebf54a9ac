"""S3 by botocore, which is imported with this: few invocations need it, and they wait for it once."""

from __future__ import annotations

from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from processor.aws import NO_ANSWER, CallError
from processor.deadline import attempts, call_timeout


class S3:
    """S3, as the function uses it."""

    def __init__(self, function_timeout: float) -> None:
        timeout = call_timeout(function_timeout)
        config = Config(
            connect_timeout=timeout,
            read_timeout=timeout,
            retries={"mode": "standard", "total_max_attempts": attempts(function_timeout)},
        )
        self._client = botocore.session.get_session().create_client("s3", config=config)

    def put(self, bucket: str, key: str, data: bytes) -> None:
        """Store an object. Raises CallError."""
        self._call("put_object", Bucket=bucket, Key=key, Body=data)

    def get(self, bucket: str, key: str) -> bytes:
        """Read an object. Raises CallError."""
        try:
            content: bytes = self._call("get_object", Bucket=bucket, Key=key)["Body"].read()
        except (BotoCoreError, OSError) as error:  # the connection may break while the body is read
            raise CallError(NO_ANSWER, str(error)) from error
        return content

    def _call(self, operation: str, **parameters: Any) -> Any:
        try:
            return getattr(self._client, operation)(**parameters)
        except ClientError as error:
            said = error.response["Error"]
            raise CallError(said.get("Code", "?"), said.get("Message", "")) from error
        except BotoCoreError as error:
            raise CallError(NO_ANSWER, str(error)) from error
