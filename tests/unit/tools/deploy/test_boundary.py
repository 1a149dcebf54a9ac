"""The permissions boundary at bootstrap, against a client that knows AWS's own API model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from tests.unit.tools.deploy.factories import ACCOUNT, Session, environment
from tools.deploy import policy
from tools.deploy.account import Account

NAME = "rt-pipeline-dev-boundary-us-east-1"
ARN = f"arn:aws:iam::{ACCOUNT}:policy/{NAME}"


@pytest.fixture
def iam() -> Iterator[Stubber]:
    stub = Stubber(boto3.client("iam", aws_access_key_id="test", aws_secret_access_key="test"))
    stub.activate()
    yield stub
    stub.assert_no_pending_responses()


def account(iam: Stubber, endpoint: str | None = None) -> Account:
    return Account(ACCOUNT, "", "us-east-1", endpoint, Session(iam=iam.client))


def expect_existing(iam: Stubber, document: dict[str, Any], text: str) -> None:
    iam.add_client_error("create_policy", "EntityAlreadyExists")
    described = {"Policy": {"DefaultVersionId": "v3", "Arn": ARN}}
    iam.add_response("get_policy", described, {"PolicyArn": ARN})
    # botocore decodes the document of an answer.
    held = {"PolicyVersion": {"Document": json.dumps(document)}}
    iam.add_response("get_policy_version", held, {"PolicyArn": ARN, "VersionId": "v3"})
    if text:
        made = {"PolicyArn": ARN, "PolicyDocument": text, "SetAsDefault": True}
        iam.add_response("create_policy_version", {}, made)
        iam.add_response("delete_policy_version", {}, {"PolicyArn": ARN, "VersionId": "v3"})


@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:1"])
def test_a_new_boundary_is_the_policy_and_on_an_emulator_its_other_name_of_publishing(
    iam: Stubber, tmp_path: Path, endpoint: str | None
) -> None:
    dev = environment(tmp_path)
    document = policy.document(dev, ACCOUNT, policy.BOUNDARY)
    if endpoint:
        topics = f"arn:aws:sns:us-east-1:{ACCOUNT}:rt-pipeline-dev-*"
        document["Statement"].append({"Effect": "Allow", "Action": "sns:PublishBatch", "Resource": topics})
    expected = {"PolicyName": NAME, "PolicyDocument": json.dumps(document)}
    iam.add_response("create_policy", {}, expected)
    assert policy.create_boundary(dev, account(iam, endpoint))


@pytest.mark.parametrize("changed", [False, True])
def test_a_boundary_that_differs_gets_a_new_version_and_the_old_one_goes(
    iam: Stubber, tmp_path: Path, changed: bool
) -> None:
    dev = environment(tmp_path)
    document = policy.document(dev, ACCOUNT, policy.BOUNDARY)
    held = {**document, "Statement": []} if changed else document
    expect_existing(iam, held, json.dumps(document) if changed else "")
    assert not policy.create_boundary(dev, account(iam))
