"""DynamoDB's wire format: JSON, with binary in base64."""

from __future__ import annotations

import json
import uuid
import zlib
from base64 import b64decode, b64encode
from typing import Any

from processor.aws import NO_ANSWER, Access, CallError, Service
from transport.responses import Response

CONDITION_FAILED = "ConditionalCheckFailedException"
TRANSACTION_CANCELED = "TransactionCanceledException"

# Stands for binary while the rest of a request is written. Nobody can know it, so no event contains it.
_BINARY = uuid.uuid4().hex


class DynamoDB:
    """DynamoDB, by the names and parameters of its API reference; binary values are bytes."""

    def __init__(self, access: Access, function_timeout: float) -> None:
        self._service = Service("dynamodb", access, function_timeout)

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Call an operation, such as ``PutItem``. Raises CallError."""
        headers = {
            "content-type": "application/x-amz-json-1.0",
            "x-amz-target": f"DynamoDB_20120810.{operation}",
        }
        return self._service.ask(headers, written(request), _read)

    def close(self) -> None:
        """Close the connection."""
        self._service.close()


def written(request: dict[str, Any]) -> bytes:
    """A request as it goes over the wire."""
    # json.dumps would look for quotes in 90 KB of base64, which has none.
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
        raise CallError(NO_ANSWER, "DynamoDB's answer was damaged on its way")
    try:
        fields = json.loads(response.body)
    except ValueError:
        fields = None
    if response.status == 200 and isinstance(fields, dict):
        return fields
    if response.status == 200 or not isinstance(fields, dict) or "__type" not in fields:
        said = response.body[:100].decode("utf-8", "replace")
        raise CallError(NO_ANSWER, f"no answer of DynamoDB's: HTTP {response.status} {said}")
    # "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"; the text is under either spelling.
    code = str(fields["__type"]).rpartition("#")[2]
    message = str(fields.get("message") or fields.get("Message") or "")
    raise CallError(code, message, status=response.status, fields=_with_bytes(fields))


def _with_bytes(fields: dict[str, Any]) -> dict[str, Any]:
    for holder in (fields, *fields.get("CancellationReasons", ())):
        if item := holder.get("Item"):
            holder["Item"] = {
                name: {"B": b64decode(value["B"])} if "B" in value else value for name, value in item.items()
            }
    return fields
