"""AWS's errors in words that a person can act on."""

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

from tools.core.errors import OpsError

_GONE = {
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
    "NotFound",
    "NotFoundException",
    "NoSuchBucket",
}
_DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}
_STALE_LOGIN = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
}


def code_of(error: ClientError) -> str:
    """The error code of an AWS answer, for example ``ResourceNotFoundException``."""
    return str(error.response.get("Error", {}).get("Code", ""))


def explain(error: Exception, endpoint: str | None) -> OpsError | None:
    """Put an AWS client's error into plain words; None when it is none that a person can act on."""
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return OpsError(
            "There are no AWS credentials.",
            "Log in (aws sso login), or eval $(make env) for the local stack.",
        )
    if isinstance(error, AwsConnectionError | HTTPClientError | URLError | TimeoutError):
        where = endpoint or "AWS"
        hint = (
            "make status shows what runs, make up starts the local stack."
            if endpoint
            else "Check the network."
        )
        return OpsError(f"{where} does not answer: {error}", hint)
    if not isinstance(error, ClientError):
        return None
    code = code_of(error)
    message = error.response.get("Error", {}).get("Message", "")
    call = error.operation_name
    if code in _GONE:
        return OpsError(
            f"{call}: {message or code}. The stack that the names belong to has been taken down or replaced.",
            'make up brings the local stack back; on AWS: eval "$(make -s env-aws ENV=dev)"',
        )
    if code in _DENIED:
        return OpsError(f"{call} is not allowed with these credentials: {message or code}")
    if code in _STALE_LOGIN:
        return OpsError(
            f"The credentials are not accepted: {message or code}", "Log in again (aws sso login)."
        )
    return OpsError(f"{call} failed: {code}: {message}")
