"""What is wrong with a source, in the few words that a panel's border holds."""

from __future__ import annotations

import re

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
)
from botocore.exceptions import ConnectionError as AwsConnectionError

from tools.core.aws_errors import code_of
from tools.core.console import strip_control_chars

_ACTION = re.compile(r"perform:? ([a-z0-9-]+:[A-Za-z]+)")


def error_text(error: Exception, source: str, thing: str) -> str:
    """An error of a source (``SQS``) that was asked about a thing (``the queue``), in one short line."""
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError):
        return f"{source} takes too long to answer"
    if isinstance(error, AwsConnectionError | HTTPClientError | OSError):
        return f"{source} does not answer"
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return "no AWS credentials"
    if isinstance(error, ClientError):
        return strip_control_chars(_refusal(error, source, thing))
    if isinstance(error, BotoCoreError):
        return strip_control_chars(f"{source}: {error}".splitlines()[0])
    # Nothing should come here, and if it does the panel must still say so and the others go on.
    return strip_control_chars(f"{source}: {type(error).__name__} {error}".splitlines()[0])


def _refusal(error: ClientError, source: str, thing: str) -> str:
    code = code_of(error)
    message = str(error.response.get("Error", {}).get("Message", ""))
    if "NotFound" in code or "DoesNotExist" in code or "NonExistent" in code:
        return f"{thing} does not exist"
    if code.startswith("AccessDenied") or "Authoriz" in code or "Unauthorized" in code:
        named = _ACTION.search(message)
        return f"not allowed: {named[1] if named else error.operation_name}"
    if "Expired" in code or "Token" in code or "Signature" in code:
        return "the credentials are not accepted"
    if "Throttl" in code or code in ("TooManyRequestsException", "RequestLimitExceeded"):
        return f"{source} throttles us"
    return f"{source}: {code}"
