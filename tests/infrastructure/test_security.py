"""No resource is reachable from outside the account.

That plain HTTP is refused is held in test_permissions.py, also of everything that there is.
"""

import re

import pytest

from tests.infrastructure.configuration import Block, blocks, resources
from tools.core.paths import ROOT

CLOSED = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
WITH_ARNS = {".tf", ".tftpl", ".json", ".py"}
ALLOWING = [
    pytest.param(statement, id=f"{document.name}.{statement.body.get('sid', '')}")
    for document in blocks("data")
    if document.type == "aws_iam_policy_document"
    for statement in document.blocks().get("statement", [])
    if statement.body.get("effect", "Allow") == "Allow"
]


@pytest.mark.parametrize("bucket", sorted(resources("aws_s3_bucket")))
def test_a_bucket_is_closed_to_the_public_and_to_access_lists(bucket: str) -> None:
    (block,) = resources("aws_s3_bucket_public_access_block").values()
    (buckets,) = (block["buckets"] for block in blocks("locals") if "buckets" in block.body)
    assert block["for_each"] == "${local.buckets}"
    assert re.search(rf"\baws_s3_bucket\.{bucket}\b", buckets)
    assert [block[argument] for argument in CLOSED] == [True] * len(CLOSED)
    assert not resources("aws_s3_bucket_acl")


@pytest.mark.parametrize("statement", ALLOWING)
def test_only_aws_services_are_allowed_in(statement: Block) -> None:
    for principals in statement.blocks().get("principals", []):
        if statement["sid"] == "UseByPipeline":  # this account itself, in the policy of its key
            assert principals["identifiers"] == ["arn:${local.partition}:iam::${local.account_id}:root"]
            continue
        assert principals["type"] == "Service"
        assert all(name.endswith(".amazonaws.com") for name in principals["identifiers"])


@pytest.mark.parametrize(
    "type_", ["aws_lambda_function_url", "aws_lambda_permission", "aws_api_gateway_rest_api", "aws_lb"]
)
def test_no_resource_is_public(type_: str) -> None:
    assert not resources(type_)


def test_no_policy_and_no_configuration_names_one_partition_of_aws() -> None:
    parents = (ROOT / "terraform", ROOT / "dashboards", ROOT / "tools" / "deploy")
    files = [file for parent in parents for file in parent.rglob("*.*") if file.suffix in WITH_ARNS]
    assert ROOT / "dashboards" / "reader-policy.json" in files
    assert [file for file in files if re.search(r"arn:(aws|\*)[a-z-]*:", file.read_text())] == []
