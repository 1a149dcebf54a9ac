"""DynamoDB over `aws_http`: JSON requests, with binary values in base64."""

from __future__ import annotations

import json
import uuid
import zlib
from base64 import b64decode, b64encode
from typing import Any

from aws_http.config import AwsConfig
from aws_http.errors import NO_ANSWER, AwsError
from aws_http.responses import Response
from aws_http.service import AwsService
from common.deadline import CallLimits
from common.telemetry import log_failed_call

CONDITION_FAILED = "ConditionalCheckFailedException"
TRANSACTION_CANCELED = "TransactionCanceledException"

# Replaces binary values while the rest of a request is encoded. It is random, so no event contains it.
_BINARY = uuid.uuid4().hex


class DynamoDB:
    """DynamoDB operations with the parameters of its API reference; binary values are bytes."""

    def __init__(self, config: AwsConfig, limits: CallLimits) -> None:
        self._service = AwsService("dynamodb", config, **limits._asdict(), on_failure=log_failed_call)

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Call an operation, such as ``PutItem``. Raises AwsError."""
        headers = {
            "content-type": "application/x-amz-json-1.0",
            "x-amz-target": f"DynamoDB_20120810.{operation}",
        }
        return self._service.request(headers, encode_request(request), _read)

    def close(self) -> None:
        """Close the connection."""
        self._service.close()


def encode_request(request: dict[str, Any]) -> bytes:
    """Return a request's body as JSON."""
    # json.dumps would search 90 KB of base64 for quotes, which base64 never has.
    binary: list[bytes] = []

    def set_aside(value: bytes) -> str:
        binary.append(value)
        return _BINARY

    text = json.dumps(request, separators=(",", ":"), default=set_aside).encode()
    first, *others = text.split(_BINARY.encode())
    pieces = [first]
    for value, other in zip(binary, others, strict=True):
        pieces += b64encode(value), other
    return b"".join(pieces)


def _read(response: Response) -> dict[str, Any]:
    checksum = response.headers.get("x-amz-crc32")
    if checksum not in (None, str(zlib.crc32(response.body))):
        raise AwsError(NO_ANSWER, "the checksum of DynamoDB's answer does not match")
    try:
        fields = json.loads(response.body)
    except ValueError:
        fields = None
    if response.status == 200 and isinstance(fields, dict):
        return fields
    if response.status == 200 or not isinstance(fields, dict) or "__type" not in fields:
        said = response.body[:100].decode("utf-8", "replace")
        raise AwsError(NO_ANSWER, f"not an answer of DynamoDB: HTTP {response.status} {said}")
    # "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"; the text has either spelling.
    code = str(fields["__type"]).rpartition("#")[2]
    message = str(fields.get("message") or fields.get("Message") or "")
    raise AwsError(code, message, status=response.status, fields=_with_bytes(fields))


def _with_bytes(fields: dict[str, Any]) -> dict[str, Any]:
    for holder in (fields, *fields.get("CancellationReasons", ())):
        if item := holder.get("Item"):
            holder["Item"] = {
                name: {"B": b64decode(value["B"])} if "B" in value else value for name, value in item.items()
            }
    return fields
