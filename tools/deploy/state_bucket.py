"""The bucket of Terraform's state: one per account and region, with a folder per environment."""

import json
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tools.core.aws_errors import code_of
from tools.core.errors import ToolError
from tools.deploy.account import Account
from tools.deploy.environment import Environment

# The arguments of each call that sets the bucket up. Old states stay for 90 days.
_SETTINGS = json.loads(Path(__file__).with_name("state-bucket.json").read_text("utf-8"))
_MISSING = {"404", "NoSuchBucket", "NoSuchKey", "NotFound"}


def bucket_name(environment: Environment, account: Account) -> str:
    """Return the bucket's name. Bucket names are global, so it contains account and region."""
    return f"{environment.name_prefix}-state-{account.id}-{account.region}"


def state_key(environment: Environment) -> str:
    """Return the key of the environment's Terraform state."""
    return f"{environment.name}/terraform.tfstate"


def backend_arguments(environment: Environment, account: Account) -> list[str]:
    """Return the arguments of ``terraform init`` that complete terraform/backend.tf."""
    values = {
        "bucket": bucket_name(environment, account),
        "key": state_key(environment),
        "region": account.region,
    }
    return [f"-backend-config={name}={value}" for name, value in values.items()]


def read_state(environment: Environment, account: Account) -> str:
    """Return the text of Terraform's state, as ``terraform state pull`` does. Without a state, it is "{}"."""
    name = bucket_name(environment, account)
    try:
        answer = account.client("s3").get_object(Bucket=name, Key=state_key(environment))
    except ClientError as error:
        if code_of(error) in _MISSING:
            return "{}"
        raise
    return str(answer["Body"].read(), "utf-8")


def require(environment: Environment, account: Account) -> None:
    """Raise ToolError unless the bucket exists and is accessible."""
    try:
        account.client("s3").head_bucket(Bucket=bucket_name(environment, account))
    except ClientError as error:
        if code_of(error) in _MISSING:
            raise ToolError(
                f"The bucket of Terraform's state does not exist: {bucket_name(environment, account)}.",
                f"make deploy-aws ARGS=--bootstrap ENV={environment.name}, once for an account and region.",
            ) from None
        raise


def bootstrap(environment: Environment, account: Account) -> bool:
    """Create the bucket or update its settings. Return whether it is new.

    The bucket is versioned, encrypted and private, and refuses plain HTTP unless the environment is an
    emulator's.
    """
    s3, name = account.client("s3"), bucket_name(environment, account)
    is_new = _create(s3, name, account.region)
    for operation, arguments in _SETTINGS.items():
        getattr(s3, operation)(Bucket=name, **arguments)
    if environment.refuse_plain_http:
        policy = _tls_only(f"arn:{account.partition}:s3:::{name}")
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))
    return is_new


def _create(s3: Any, name: str, region: str) -> bool:
    try:
        s3.head_bucket(Bucket=name)
        return False
    except ClientError as error:
        if code_of(error) not in _MISSING:
            raise
    # S3 refuses a location constraint for us-east-1.
    location = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=name, ObjectOwnership="BucketOwnerEnforced", **location)
    s3.get_waiter("bucket_exists").wait(Bucket=name)
    return True


def _tls_only(arn: str) -> dict[str, Any]:
    refusal = {
        "Sid": "RefusePlainHttp",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {"Version": "2012-10-17", "Statement": [refusal]}
