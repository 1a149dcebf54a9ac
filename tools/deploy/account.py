"""Find the credentials, and check that the environment may be deployed to their account."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

from tools.core.aws import create_client
from tools.core.aws_errors import code_of, explain
from tools.core.errors import ToolError
from tools.deploy.environment import Environment

DEFAULT_PROFILE = "rt-pipeline-user"
_RETRIES = {"mode": "standard", "total_max_attempts": 4}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_WRONG = {"InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException"}


@dataclass(frozen=True)
class Account:
    """An account with credentials for it. ``endpoint`` is None on AWS."""

    id: str
    caller: str
    region: str
    endpoint: str | None
    session: Any = field(repr=False, compare=False)

    @property
    def where(self) -> str:
        """The account, region and endpoint, for messages."""
        return f"account {self.id}, {self.region}" + (f", {self.endpoint}" if self.endpoint else "")

    @property
    def partition(self) -> str:
        """``aws``, ``aws-cn`` or ``aws-us-gov``."""
        return self.caller.split(":")[1]

    def client(self, service: str) -> Any:
        """Return a boto3 client for ``service``."""
        return create_client(self.session, service, self.endpoint, retries=_RETRIES)

    def for_terraform(self) -> dict[str, str]:
        """Return the same credentials, region and endpoint as environment variables for Terraform."""
        keys = self.session.get_credentials().get_frozen_credentials()
        variables = {
            "AWS_ACCESS_KEY_ID": keys.access_key,
            "AWS_SECRET_ACCESS_KEY": keys.secret_key,
            "AWS_SESSION_TOKEN": keys.token,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_CA_BUNDLE": os.environ.get("AWS_CA_BUNDLE"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
        return {name: value for name, value in variables.items() if value}


def open_account(environment: Environment, variables: Mapping[str, str]) -> Account:
    """Find the credentials and check that the environment allows their account.

    The credentials are AWS_PROFILE if set, else keys in ``variables`` (as in CI), else the profile
    rt-pipeline-user. Raises ToolError with a command as remedy.
    """
    endpoint = variables.get("AWS_ENDPOINT_URL") or None
    with_keys = bool(variables.get("AWS_ACCESS_KEY_ID"))
    profile = variables.get("AWS_PROFILE") or (None if with_keys else DEFAULT_PROFILE)
    session = _session(profile, environment.region, variables)
    region = variables.get("AWS_REGION") or variables.get("AWS_DEFAULT_REGION")
    if region and region != environment.region:
        raise ToolError(
            f"{environment.name} is in {environment.region}, but AWS_REGION says {region}.",
            f"unset AWS_REGION AWS_DEFAULT_REGION. To move it: {environment.line_to_add('region')}.",
        )
    account = Account("", "", environment.region, endpoint, session)
    identity = _identity(account, profile)
    account = Account(identity["Account"], identity["Arn"], environment.region, endpoint, session)
    _check_allowed(environment, account)
    return account


def _session(profile: str | None, region: str, variables: Mapping[str, str]) -> Any:
    try:
        if profile:
            return boto3.session.Session(profile_name=profile, region_name=region)
        return boto3.session.Session(
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables.get("AWS_SECRET_ACCESS_KEY"),
            aws_session_token=variables.get("AWS_SESSION_TOKEN") or None,
            region_name=region,
        )
    except ProfileNotFound:
        raise ToolError(
            f"There is no AWS profile {profile} on this machine.",
            f"aws configure --profile {profile}, as docs/deploy.md says. Or name another: AWS_PROFILE=...",
        ) from None
    except (BotoCoreError, KeyError) as error:
        raise ToolError(
            f"The AWS credentials cannot be used: {error}", "AWS_PROFILE=... names a profile."
        ) from None


def _identity(account: Account, profile: str | None) -> Mapping[str, str]:
    log_in = f"aws sso login --profile {profile}" if profile else "Get new keys, and export them again."
    try:
        identity: Mapping[str, str] = account.client("sts").get_caller_identity()
        return identity
    except (NoCredentialsError, PartialCredentialsError):
        raise ToolError(
            f"The profile {profile} has no credentials.", f"aws configure --profile {profile}, or {log_in}"
        ) from None
    except (SSOError, TokenRetrievalError, UnauthorizedSSOTokenError) as error:
        raise ToolError(f"The login has ended: {error}", log_in) from None
    except ClientError as error:
        if code_of(error) in _EXPIRED:
            raise ToolError("The credentials have expired.", log_in) from None
        if code_of(error) in _WRONG:
            raise ToolError(
                "AWS does not know these credentials: the key was deleted or mistyped.",
                f"aws configure --profile {profile}" if profile else log_in,
            ) from None
        raise (explain(error, account.endpoint) or error) from None
    except BotoCoreError as error:
        raise (explain(error, account.endpoint) or ToolError(str(error))) from None


def _check_allowed(environment: Environment, account: Account) -> None:
    line = environment.line_to_add(f'allowed_account_ids = ["{account.id}"]')
    if not environment.allowed_account_ids:
        raise ToolError(
            f"{environment.name} does not say which account it belongs to; these credentials are of "
            f"{account.id} ({account.caller}).",
            f"If that is the right one. {line}",
        )
    if account.id not in environment.allowed_account_ids:
        elsewhere = f"AWS_ENDPOINT_URL is {account.endpoint}: unset it for AWS. " if account.endpoint else ""
        raise ToolError(
            f"{environment.name} belongs to account {', '.join(environment.allowed_account_ids)}; these "
            f"credentials are of {account.id} ({account.caller}).",
            f"{elsewhere}Use others: AWS_PROFILE=... If {account.id} is right. {line}",
        )
