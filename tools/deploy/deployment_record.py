"""Save and load the record of the last deploy, an object beside Terraform's state.

The bucket is versioned, so the object's versions are the history of deploys.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from tools.core.aws_errors import code_of
from tools.core.errors import ToolError
from tools.deploy.account import Account
from tools.deploy.environment import Environment
from tools.deploy.state_bucket import bucket_name


@dataclass(frozen=True)
class VersionChange:
    """A function's published version before a deploy (None where there was none) and after it."""

    before: str | None
    after: str


@dataclass(frozen=True)
class DeploymentRecord:
    """A deploy: time, caller, content, and the differences from the receipt if it was forced."""

    time: str
    by: str
    commit: str
    zips: dict[str, str]
    forced: list[str]
    functions: dict[str, VersionChange]
    outputs: dict[str, Any] = field(default_factory=dict)


def save(environment: Environment, account: Account, record: DeploymentRecord) -> None:
    """Write the record to the state bucket."""
    account.client("s3").put_object(
        Bucket=bucket_name(environment, account),
        Key=_key(environment),
        Body=json.dumps(asdict(record), indent=2).encode(),
        ContentType="application/json",
    )


def load(environment: Environment, account: Account) -> DeploymentRecord:
    """Return the record of the last deploy. Raises ToolError if there is none."""
    record = _read(environment, account)
    if record is None:
        raise ToolError(
            f"{environment.name} is not deployed in {account.where}.",
            f"make deploy-aws ENV={environment.name}",
        )
    return record


def exists(environment: Environment, account: Account) -> bool:
    """Return whether the environment has a record."""
    return _read(environment, account) is not None


def forget(environment: Environment, account: Account) -> None:
    """Remove the record of an environment that was destroyed."""
    account.client("s3").delete_object(Bucket=bucket_name(environment, account), Key=_key(environment))


def _read(environment: Environment, account: Account) -> DeploymentRecord | None:
    try:
        answer = account.client("s3").get_object(
            Bucket=bucket_name(environment, account), Key=_key(environment)
        )
        values = json.loads(answer["Body"].read())
        functions = {name: VersionChange(**versions) for name, versions in values.pop("functions").items()}
        return DeploymentRecord(**values, functions=functions)
    except ClientError as error:
        if code_of(error) not in ("NoSuchKey", "NoSuchBucket", "404"):
            raise
    return None


def _key(environment: Environment) -> str:
    return f"{environment.name}/deployed.json"
