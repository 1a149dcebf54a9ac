"""S3 by botocore, with bounded retries. Importing this module imports botocore."""

from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from aws_http.errors import NO_ANSWER, AwsError
from common.deadline import CallLimits
from storage.payload import MAX_BODY_BYTES


def s3_client(limits: CallLimits) -> Any:
    """Return a botocore client for S3 within these limits."""
    config = Config(
        connect_timeout=limits.timeout,
        read_timeout=limits.timeout,
        retries={"mode": "standard", "total_max_attempts": limits.attempts},
        user_agent="rt-pipeline",
    )
    return botocore.session.get_session().create_client("s3", config=config)


class S3:
    """Objects of S3. Both methods raise AwsError."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def put(self, bucket: str, key: str, data: bytes, content_type: str = "binary/octet-stream") -> None:
        """Store an object."""
        self._call("put_object", Bucket=bucket, Key=key, Body=data, ContentType=content_type)

    def get(self, bucket: str, key: str) -> bytes:
        """Return an object's content, up to one byte more than a payload has.

        The error's code is NoSuchKey if the object does not exist.
        """
        try:
            content: bytes = self._call("get_object", Bucket=bucket, Key=key)["Body"].read(MAX_BODY_BYTES + 1)
        except (BotoCoreError, OSError) as error:  # the connection may break while the body is read
            raise AwsError(NO_ANSWER, str(error)) from error
        return content

    def _call(self, operation: str, **parameters: Any) -> Any:
        try:
            return getattr(self._client, operation)(**parameters)
        except ClientError as error:
            refusal = error.response.get("Error", {})
            raise AwsError(refusal.get("Code", "?"), refusal.get("Message", "")) from error
        except BotoCoreError as error:
            raise AwsError(NO_ANSWER, str(error)) from error
