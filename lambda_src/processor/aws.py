"""The function's AWS clients: botocore alone, its retries bounded, its requests written and sent by us."""

from __future__ import annotations

import json
import uuid
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config

from processor.deadline import attempts, call_timeout
from processor.direct import send_directly

# Those that each batch calls.
_DIRECT = {"dynamodb", "sns"}


def clients(function_timeout: float) -> Callable[[str], Any]:
    """A function that gives a service's client, made at its first use.

    Most invocations need no S3, and each client costs tens of milliseconds of cold start. boto3 would cost
    three times botocore's own import and adds nothing that is needed here.
    """
    timeout = call_timeout(function_timeout)
    config = Config(
        connect_timeout=timeout,
        read_timeout=timeout,
        retries={"mode": "standard", "total_max_attempts": attempts(function_timeout)},
        parameter_validation=False,
        # botocore would put its own, of a dozen parts, together anew for each request.
        user_agent="rt-pipeline",
    )
    session = botocore.session.get_session()

    @cache
    def client(service: str) -> Any:
        made = session.create_client(service, config=config)
        if service == "dynamodb":
            _write_requests_ourselves(made)
        if service in _DIRECT:
            send_directly(made, session, timeout)
        return made

    return client


# botocore walks a request's every attribute through its model, which for items of twenty attributes is most
# of a batch's CPU time; the low-level parameters already are the wire format, but for the base64 of binary.
# These two documented events hand the finished body over.
_BODY = "_body"
# Stands for binary while the rest of a request is written. Nobody can know it, so no event contains it.
_BINARY = uuid.uuid4().hex


def _write_requests_ourselves(dynamodb: Any) -> None:
    def take(params: dict[str, Any], context: dict[str, Any], **_: Any) -> dict[str, Any]:
        if _BODY not in params:
            return params
        context[_BODY] = params.pop(_BODY)
        return params

    def put(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        if _BODY in context:
            params["body"] = context[_BODY]

    dynamodb.meta.events.register("provide-client-params.dynamodb", take)
    dynamodb.meta.events.register("before-call.dynamodb", put)


def why(error: Exception) -> str:
    """A failed AWS call in one line, for the logs."""
    return f"{type(error).__name__}: {error}"[:200]


def send(method: Callable[..., Any], request: dict[str, Any]) -> Any:
    """Call a DynamoDB operation with a request in the JSON wire format, but for binary, which is bytes."""
    # botocore's endpoint rules look for the tables of a batch, and break where it names none at all.
    routing: dict[str, Any] = {"RequestItems": {}} if "RequestItems" in request else {}
    return method(**routing, **{_BODY: _written(request)})


def _written(request: dict[str, Any]) -> bytes:
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
