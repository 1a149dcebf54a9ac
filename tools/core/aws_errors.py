"""Translate AWS errors into messages that say what to do."""

import os
from urllib.error import URLError

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
)
from botocore.exceptions import (
    ConnectionError as AwsConnectionError,
)

from tools.core.errors import ToolError

NOT_FOUND = {
    *("AWS.SimpleQueueService.NonExistentQueue", "NonExistentQueue", "QueueDoesNotExist", "InvalidAddress"),
    *("ResourceNotFoundException", "NotFound", "NotFoundException", "NoSuchBucket"),
}
DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}
REFUSED_CREDENTIALS = {
    *("ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidSecurity", "InvalidClientTokenId"),
    *("UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidSignatureException"),
    *("IncompleteSignature", "MissingAuthenticationToken", "MissingAuthenticationTokenException"),
}


# A shell keeps what it evaluated, also of a stack that is gone.
STALE_EXPORTS = 'If this shell has the exports of a former stack: eval "$(make env)"'


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
        hint = f"See what runs: make status. Start the local stack: make up. {STALE_EXPORTS}"
        return ToolError(
            f"{endpoint or 'AWS'} does not answer: {error}", hint if endpoint else _network_hint()
        )
    if isinstance(error, ProfileNotFound):
        return ToolError(
            f"{error}: AWS_PROFILE names it.", "See which there are: aws configure list-profiles"
        )
    if isinstance(error, BotoCoreError) and not isinstance(error, ParamValidationError):
        return ToolError(
            f"The AWS settings cannot be used: {error}", "Print the settings: aws configure list"
        )
    if not isinstance(error, ClientError):
        return None
    code = code_of(error)
    message = error.response.get("Error", {}).get("Message", "")
    operation = error.operation_name
    if code in NOT_FOUND:
        return ToolError(
            f"{operation}: {message or code}. The stack was taken down or replaced.",
            f'Start the local stack: make up. {STALE_EXPORTS} On AWS: eval "$(make -s env-aws ENV=dev)"',
        )
    if code in DENIED:
        return ToolError(f"{operation} is not allowed with these credentials: {message or code}")
    if code in REFUSED_CREDENTIALS:
        return ToolError(
            f"The credentials are not accepted: {message or code}",
            STALE_EXPORTS if endpoint else "Log in again (aws sso login).",
        )
    return ToolError(f"{operation} failed: {code}: {message}")


def _network_hint() -> str:
    endpoints = [name for name in sorted(os.environ) if name.startswith("AWS_ENDPOINT_URL")]
    return "Check the network" + (f", and the setting {', '.join(endpoints)}." if endpoints else ".")
