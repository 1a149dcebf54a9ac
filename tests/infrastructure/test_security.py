"""What holds for every bucket, queue and topic there is or will be: no plain HTTP, nobody from outside."""

import re

import pytest

from tests.infrastructure.configuration import Block, blocks, resources, text

BUCKETS = sorted(resources("aws_s3_bucket"))
# What holds data, and the resource that carries its policy and which argument leads back to it.
POLICIES = {
    "aws_s3_bucket": ("aws_s3_bucket_policy", "bucket"),
    "aws_sqs_queue": ("aws_sqs_queue_policy", "queue_url"),
    "aws_sns_topic": ("aws_sns_topic_policy", "arn"),
}
HOLDERS = [block.labels for block in blocks("resource") if block.type in POLICIES]
STATEMENTS = [
    pytest.param(statement, id=f"{document.name}.{statement.body.get('sid', '')}")
    for document in blocks("data")
    if document.type == "aws_iam_policy_document"
    for statement in document.blocks().get("statement", [])
]


@pytest.mark.parametrize(("type_", "name"), HOLDERS)
def test_it_has_one_policy_and_that_refuses_plain_http(type_: str, name: str) -> None:
    policy_type, argument = POLICIES[type_]
    attached = [
        block for block in resources(policy_type).values() if re.search(rf"\b{name}[.\[]", block[argument])
    ]
    (policy,) = attached
    document = re.search(r"aws_iam_policy_document\.(\w+)", policy["policy"])
    assert document is not None
    # Its own refusal, or one that it takes over from the document that refuses.
    source = next(content for content in text().values() if f'"{document[1]}" {{' in content)
    assert "tls_only" in document[1] or "tls_only" in source


@pytest.mark.parametrize("name", BUCKETS)
def test_a_bucket_is_closed_to_the_public_and_to_access_lists(name: str) -> None:
    (block,) = (
        block
        for block in resources("aws_s3_bucket_public_access_block").values()
        if re.search(rf"aws_s3_bucket\.{name}[.\[]", block["bucket"])
    )
    closed = {"block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"}
    assert {argument for argument in closed if block[argument] is True} == closed
    assert not resources("aws_s3_bucket_acl")


@pytest.mark.parametrize("statement", STATEMENTS)
def test_nobody_from_outside_is_let_in(statement: Block) -> None:
    if statement.body.get("effect", "Allow") == "Deny":
        return
    for principals in statement.blocks().get("principals", []):
        assert principals["type"] == "Service", "an account, or everybody, is let in"
        assert "*" not in principals["identifiers"]


def test_nothing_answers_outside_the_account() -> None:
    assert not resources("aws_lambda_function_url")
    assert not resources("aws_lambda_permission")
