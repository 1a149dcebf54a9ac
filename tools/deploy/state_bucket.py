"""The bucket of Terraform's state: one for an account and region, a folder for each environment."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from tools.core.aws_errors import code_of
from tools.core.errors import OpsError
from tools.deploy.account import Account
from tools.deploy.environment import Environment

KEPT_DAYS = 90
_MISSING = {"404", "NoSuchBucket", "NotFound"}
_PRIVATE = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


def bucket_name(environment: Environment, account: Account) -> str:
    """The bucket's name: bucket names are shared by all of AWS, the account and region make it ours."""
    return f"{environment.name_prefix}-state-{account.id}-{account.region}"


def state_key(environment: Environment) -> str:
    """Where in the bucket Terraform's state of the environment is."""
    return f"{environment.name}/terraform.tfstate"


def backend_arguments(environment: Environment, account: Account) -> list[str]:
    """What ``terraform init`` needs to know of the bucket; terraform/backend.tf says the rest."""
    values = {
        "bucket": bucket_name(environment, account),
        "key": state_key(environment),
        "region": account.region,
    }
    return [f"-backend-config={name}={value}" for name, value in values.items()]


def require(environment: Environment, account: Account) -> None:
    """Raise OpsError unless the bucket is there and may be used."""
    try:
        account.client("s3").head_bucket(Bucket=bucket_name(environment, account))
    except ClientError as error:
        if code_of(error) in _MISSING:
            raise OpsError(
                f"The bucket of Terraform's state is not there: {bucket_name(environment, account)}.",
                f"make deploy-aws ARGS=--bootstrap ENV={environment.name}, once for an account and region.",
            ) from None
        raise


def bootstrap(environment: Environment, account: Account) -> bool:
    """Make the bucket, or bring it to what it is to be; whether it was new.

    Versioned (a state can be got back for 90 days), encrypted, private, and over TLS alone unless the
    environment says that it is an emulator's.
    """
    s3, name = account.client("s3"), bucket_name(environment, account)
    made = _create(s3, name, account.region)
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=_PRIVATE)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    encryption = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=encryption)
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [_old_versions()]})
    if environment.refuse_plain_http:
        policy = _tls_only(f"arn:{account.partition}:s3:::{name}")
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))
    return made


def _create(s3: Any, name: str, region: str) -> bool:
    try:
        s3.head_bucket(Bucket=name)
        return False
    except ClientError as error:
        if code_of(error) not in _MISSING:
            raise
    # us-east-1 is the one region that S3 does not want to be told.
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=name, ObjectOwnership="BucketOwnerEnforced", **place)
    s3.get_waiter("bucket_exists").wait(Bucket=name)
    return True


def _old_versions() -> dict[str, Any]:
    return {
        "ID": "old-states",
        "Status": "Enabled",
        "Filter": {},
        "NoncurrentVersionExpiration": {"NoncurrentDays": KEPT_DAYS},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }


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
