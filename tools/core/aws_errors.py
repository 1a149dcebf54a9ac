"""Translate AWS errors into messages that say what to do."""

from __future__ import annotations

from urllib.error import URLError

from botocore.exceptions import (
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
)
from botocore.exceptions import (
    ConnectionError as AwsConnectionError,
)

from tools.core.errors import ToolError

_NOT_FOUND = {
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
    "NotFound",
    "NotFoundException",
    "NoSuchBucket",
}
_DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}
_INVALID_CREDENTIALS = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
}


def code_of(error: ClientError) -> str:
    """Return the error code of an AWS response, for example ``ResourceNotFoundException``."""
    return str(error.response.get("Error", {}).get("Code", ""))


def explain(error: Exception, endpoint: str | None) -> ToolError | None:
    """Translate an error of an AWS client. Return None for other errors, which are bugs."""
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return ToolError(
            "There are no AWS credentials.",
            "Log in (aws sso login), or use the local stack: eval $(make env)",
        )
    if isinstance(error, AwsConnectionError | HTTPClientError | URLError | TimeoutError):
        hint = (
            "See what runs: make status. Start the local stack: make up" if endpoint else "Check the network."
        )
        return ToolError(f"{endpoint or 'AWS'} does not answer: {error}", hint)
    if not isinstance(error, ClientError):
        return None
    code = code_of(error)
    message = error.response.get("Error", {}).get("Message", "")
    operation = error.operation_name
    if code in _NOT_FOUND:
        return ToolError(
            f"{operation}: {message or code}. The stack was taken down or replaced.",
            'Start the local stack: make up. On AWS: eval "$(make -s env-aws ENV=dev)"',
        )
    if code in _DENIED:
        return ToolError(f"{operation} is not allowed with these credentials: {message or code}")
    if code in _INVALID_CREDENTIALS:
        return ToolError(
            f"The credentials are not accepted: {message or code}", "Log in again (aws sso login)."
        )
    return ToolError(f"{operation} failed: {code}: {message}")
