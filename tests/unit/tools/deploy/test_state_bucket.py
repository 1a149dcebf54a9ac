"""Create the state bucket with a client that checks AWS's API model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.stub import ANY, Stubber

from tests.unit.tools.deploy.factories import ACCOUNT, Session, environment
from tools.core.errors import ToolError
from tools.deploy import state_bucket
from tools.deploy.account import Account

BUCKET = f"rt-pipeline-state-{ACCOUNT}-eu-central-1"
REGION = 'region = "eu-central-1"'


@pytest.fixture
def s3() -> Iterator[Stubber]:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    stub = Stubber(boto3.client("s3", region_name="eu-central-1", **keys))
    stub.activate()
    yield stub
    stub.assert_no_pending_responses()


def account(s3: Stubber) -> Account:
    return Account(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/x", "eu-central-1", None, Session(s3=s3.client))


def expect_settings(s3: Stubber) -> None:
    s3.add_response("put_public_access_block", {}, {"Bucket": BUCKET, **ALL_PRIVATE})
    versioning = {"VersioningConfiguration": {"Status": "Enabled"}}
    s3.add_response("put_bucket_versioning", {}, {"Bucket": BUCKET, **versioning})
    s3.add_response("put_bucket_encryption", {}, {"Bucket": BUCKET, "ServerSideEncryptionConfiguration": ANY})
    s3.add_response(
        "put_bucket_lifecycle_configuration", {}, {"Bucket": BUCKET, "LifecycleConfiguration": ANY}
    )


ALL_PRIVATE = {
    "PublicAccessBlockConfiguration": {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    }
}


def test_a_new_bucket_is_versioned_encrypted_private_and_tls_only(s3: Stubber, tmp_path: Path) -> None:
    s3.add_client_error("head_bucket", "404", http_status_code=404)
    place = {"LocationConstraint": "eu-central-1"}
    s3.add_response(
        "create_bucket",
        {},
        {"Bucket": BUCKET, "ObjectOwnership": "BucketOwnerEnforced", "CreateBucketConfiguration": place},
    )
    s3.add_response("head_bucket", {"ResponseMetadata": {"HTTPStatusCode": 200}}, {"Bucket": BUCKET})
    expect_settings(s3)
    policy = json.dumps(state_bucket._tls_only(f"arn:aws:s3:::{BUCKET}"))
    assert '"aws:SecureTransport": "false"' in policy
    s3.add_response("put_bucket_policy", {}, {"Bucket": BUCKET, "Policy": policy})
    assert state_bucket.bootstrap(environment(tmp_path, REGION), account(s3))


def test_an_existing_bucket_only_gets_its_settings_updated(s3: Stubber, tmp_path: Path) -> None:
    s3.add_response("head_bucket", {}, {"Bucket": BUCKET})
    expect_settings(s3)
    on_an_emulator = environment(tmp_path, f"{REGION}\nrefuse_plain_http = false")
    assert not state_bucket.bootstrap(on_an_emulator, account(s3))


def test_without_the_bucket_the_error_names_the_command_that_creates_it(s3: Stubber, tmp_path: Path) -> None:
    s3.add_client_error("head_bucket", "404", http_status_code=404)
    with pytest.raises(ToolError, match="does not exist") as refused:
        state_bucket.require(environment(tmp_path, REGION), account(s3))
    assert "make deploy-aws ARGS=--bootstrap ENV=dev" in refused.value.hint


def test_each_environment_has_its_state_in_a_folder_of_its_own(s3: Stubber, tmp_path: Path) -> None:
    arguments = state_bucket.backend_arguments(environment(tmp_path, REGION), account(s3))
    assert arguments == [
        f"-backend-config=bucket={BUCKET}",
        "-backend-config=key=dev/terraform.tfstate",
        "-backend-config=region=eu-central-1",
    ]
