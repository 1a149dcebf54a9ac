"""Describe an error of a source in the few words that fit into a panel's border."""

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
from tools.core.text import strip_control_chars

_ACTION = re.compile(r"perform:? ([a-z0-9-]+:[A-Za-z]+)")


def describe_error(error: Exception, source: str, resource: str) -> str:
    """Describe an error in one short line, from a source (``SQS``) and a resource (``the queue``)."""
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError):
        return f"{source} timed out"
    if isinstance(error, AwsConnectionError | HTTPClientError | OSError):
        return f"{source} does not answer"
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return "no AWS credentials"
    if isinstance(error, ClientError):
        return strip_control_chars(_describe_client_error(error, source, resource))
    if isinstance(error, BotoCoreError):
        return strip_control_chars(f"{source}: {error}".split("\n")[0])
    # A bug in a collector must not stop the other panels.
    return strip_control_chars(f"{source}: {type(error).__name__} {error}".split("\n")[0])


def _describe_client_error(error: ClientError, source: str, resource: str) -> str:
    code = code_of(error)
    message = str(error.response.get("Error", {}).get("Message", ""))
    if "NotFound" in code or "DoesNotExist" in code or "NonExistent" in code:
        return f"{resource} does not exist"
    if code.startswith("AccessDenied") or "Authoriz" in code or "Unauthorized" in code:
        action = _ACTION.search(message)
        return f"not allowed: {action[1] if action else error.operation_name}"
    if "Expired" in code or "Token" in code or "Signature" in code:
        return "AWS rejects the credentials"
    if "Throttl" in code or code in ("TooManyRequestsException", "RequestLimitExceeded"):
        return f"{source} throttles requests"
    return f"{source}: {code}"
