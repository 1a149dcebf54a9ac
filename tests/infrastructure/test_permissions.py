"""Check the functions' roles, and what queues, topics and buckets refuse."""

import json
import re
from pathlib import Path

import pytest

from archiver.lines import DUPLICATES, EVENTS, REJECTED, UNREADABLE
from tests.infrastructure.configuration import ENVIRONMENTS, Block, blocks, environment, policy, resources
from tests.infrastructure.monitoring import Monitoring
from tools.deploy.policy import BOUNDARY

# The function's whole policy: sid, actions, resources. Each statement is one thing that the processor does.
USE_KEY = {"UseKey": ("${local.key_actions}", ["${statement.value}"])}
PROCESSOR = {
    **USE_KEY,
    "ReceiveMessages": (
        ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
        ["${aws_sqs_queue.events.arn}"],
    ),
    "StoreEvents": (["dynamodb:PutItem", "dynamodb:UpdateItem"], ["${aws_dynamodb_table.events.arn}"]),
    "StoreRejected": (
        ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"],
        ["${aws_dynamodb_table.rejected.arn}"],
    ),
    "CountDuplicates": (["dynamodb:BatchWriteItem"], ["${aws_dynamodb_table.duplicates.arn}"]),
    "StorePayloads": (["s3:PutObject", "s3:GetObject"], ["${aws_s3_bucket.payloads.arn}/payloads/*"]),
    "PublishAlerts": (["sns:Publish"], ["${aws_sns_topic.alerts.arn}"]),
    "WriteLogs": (
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        ["${aws_cloudwatch_log_group.processor.arn}:*"],
    ),
}
# The archiver's: what Lambda reads and sends with its role, and what it does itself.
ARCHIVER = {
    **USE_KEY,
    "ReadStreams": (
        [
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
        ],
        [f"${{aws_dynamodb_table.{table}.arn}}/stream/*" for table in ("events", "rejected", "duplicates")],
    ),
    "ReadPayloads": (["s3:GetObject"], ["${aws_s3_bucket.payloads.arn}/payloads/*"]),
    "MissPayloads": (["s3:ListBucket"], ["${aws_s3_bucket.payloads.arn}"]),
    "WriteArchive": (
        ["s3:PutObject"],
        [
            f"${{aws_s3_bucket.archive[0].arn}}/{place}/*"
            for place in (EVENTS, REJECTED, DUPLICATES, UNREADABLE)
        ],
    ),
    "ReportFailures": (["sqs:SendMessage"], ["${aws_sqs_queue.archive_failures[0].arn}"]),
    "WriteLogs": (
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        ["${aws_cloudwatch_log_group.archiver[0].arn}:*"],
    ),
}
ROLES = {"processor": PROCESSOR, "archiver": ARCHIVER}
# Everything with a policy of its own, the action that it refuses over plain HTTP, and its policy's arguments.
TLS_ONLY = {
    ("aws_sqs_queue", "events"): "sqs:*",
    ("aws_sqs_queue", "events_dlq"): "sqs:*",
    ("aws_sqs_queue", "archive_failures"): "sqs:*",
    ("aws_sqs_queue", "undelivered_alerts"): "sqs:*",
    ("aws_sns_topic", "alerts"): "sns:Publish",
    ("aws_sns_topic", "ops"): "sns:Publish",
    ("aws_s3_bucket", "payloads"): "s3:*",
    ("aws_s3_bucket", "archive"): "s3:*",
    ("aws_s3_bucket", "athena_results"): "s3:*",
}
ATTACHMENTS = {
    "aws_sqs_queue_policy": ("queue_url", "${each.value.id}", "queues", "queue"),
    "aws_s3_bucket_policy": ("bucket", "${each.value.id}", "buckets", "bucket"),
}
ALLOWING = [
    pytest.param(statement, id=f"{document.name}.{statement['sid']}")
    for document in blocks("data")
    if document.type == "aws_iam_policy_document"
    for statement in document.blocks()["statement"]
    if statement.body.get("effect", "Allow") == "Allow"
]


@pytest.mark.parametrize(("role", "sid"), [(role, sid) for role in ROLES for sid in ROLES[role]])
def test_a_function_has_exactly_the_permissions_that_it_uses(role: str, sid: str) -> None:
    statement = policy(role)[sid]
    assert (statement["actions"], statement["resources"]) == ROLES[role][sid]


def test_the_functions_have_no_other_permissions() -> None:
    for role, statements in ROLES.items():
        assert set(policy(role)) == set(statements)
    attached = {name: block["policy"] for name, block in resources("aws_iam_role_policy").items()}
    assert attached == {
        "processor": "${data.aws_iam_policy_document.processor.json}",
        "archiver": "${data.aws_iam_policy_document.archiver[0].json}",
    }
    assert not {block.type for block in blocks("resource")} & {
        "aws_iam_policy",
        "aws_iam_policy_attachment",
        "aws_iam_role_policy_attachment",
    }


def test_every_role_has_the_permissions_boundary_that_the_deploy_passes() -> None:
    roles = resources("aws_iam_role")
    assert set(roles) == set(ROLES)
    assert {block["permissions_boundary"] for block in roles.values()} == {"${var.permissions_boundary}"}


def test_the_boundary_has_every_action_of_the_roles_and_no_other() -> None:
    bounded = json.loads(BOUNDARY.read_text())["Statement"]
    (key_actions,) = (local["key_actions"] for local in blocks("locals") if "key_actions" in local.body)
    granted = {
        action
        for statements in ROLES.values()
        for sid, (actions, _) in statements.items()
        for action in (key_actions if sid == "UseKey" else actions)
    }
    assert {action for statement in bounded for action in statement["Action"]} == granted
    # A key has no name. The roles' own policies name the one that they use.
    named = [statement for statement in bounded if statement["Sid"] != "Keys"]
    assert all("${name}-*" in statement["Resource"] for statement in named)


def test_the_poller_may_receive_delete_and_read_the_queues_attributes() -> None:
    # Lambda polls with the function's role: an emulator does not mind when this is missing, AWS does.
    statement = policy("processor")["ReceiveMessages"]
    assert set(statement["actions"]) == {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
    assert statement["resources"] == [
        resources("aws_lambda_event_source_mapping")["events"]["event_source_arn"]
    ]


def test_only_lambda_may_assume_the_roles() -> None:
    trust = {block["assume_role_policy"] for block in resources("aws_iam_role").values()}
    assert trust == {"${data.aws_iam_policy_document.processor_trust.json}"}
    (statement,) = policy("processor_trust").values()
    assert statement["actions"] == ["sts:AssumeRole"]
    assert (
        statement.block("principals").body.items()
        >= {
            "type": "Service",
            "identifiers": ["lambda.amazonaws.com"],
        }.items()
    )


@pytest.mark.parametrize("statement", ALLOWING)
def test_allowed_actions_have_no_wildcard(statement: Block) -> None:
    assert not [action for action in statement["actions"] if "*" in action]
    assert not {"not_actions", "not_resources", "not_principals"} & set(statement.body)


@pytest.mark.parametrize("statement", ALLOWING)
def test_each_statement_allows_one_resource(statement: Block) -> None:
    # A role's trust policy is the one document without resources; the topics' is made for each of them, and
    # a key's policy is about that key.
    for resource in statement.body.get("resources", []):
        is_key_policy = statement["sid"] in policy("key") and resource == "*"
        named = r"\$\{(aws_\w+\.\w+(\[0\])?\.arn|each\.value|statement\.value)\}"
        assert is_key_policy or re.match(named, resource)


def test_every_resource_policy_is_covered() -> None:
    types = {type_ for type_, _ in TLS_ONLY}
    assert {block.labels for block in blocks("resource") if block.type in types} == set(TLS_ONLY)


@pytest.mark.parametrize(("type_", "name"), TLS_ONLY)
def test_plain_http_is_refused(type_: str, name: str, monitoring: Monitoring) -> None:
    refused = monitoring.plain_http[name]
    arn = f"{type_}.{name}.arn"
    assert refused["actions"] == [TLS_ONLY[type_, name]]
    assert refused["resources"] == ([arn, f"{arn}/*"] if type_ == "aws_s3_bucket" else [arn])


@pytest.mark.parametrize("type_", ATTACHMENTS)
def test_the_refusal_is_attached_to_every_queue_and_bucket(type_: str) -> None:
    argument, value, things, thing = ATTACHMENTS[type_]
    attachment = resources(type_)["each"]
    refused = f"for name, {thing} in local.{things} : name => {thing} if var.refuse_plain_http"
    assert attachment["for_each"] == f"${{{{{refused}}}}}"
    assert attachment[argument] == value
    assert attachment["policy"] == "${data.aws_iam_policy_document.tls_only[each.key].json}"


def test_the_refusal_is_part_of_the_policies_that_let_sns_and_alarms_in() -> None:
    documents = {block.name: block.body.get("source_policy_documents") for block in blocks("data")}
    refusal = 'data.aws_iam_policy_document.tls_only["undelivered_alerts"].json'
    assert documents["undelivered_alerts"] == f"${{(var.refuse_plain_http ? [{refusal}] : [])}}"
    attached = resources("aws_sqs_queue_policy")["undelivered_alerts"]
    assert attached["queue_url"] == "${aws_sqs_queue.undelivered_alerts[0].id}"
    assert attached["policy"] == "${data.aws_iam_policy_document.undelivered_alerts[0].json}"
    refusal = "data.aws_iam_policy_document.tls_only[each.key].json"
    assert documents["topics"] == f"${{var.refuse_plain_http ? [{refusal}] : []}}"
    attached = resources("aws_sns_topic_policy")["each"]
    assert attached["for_each"] == "${local.topics}"
    assert (attached["arn"], attached["policy"]) == (
        "${each.value}",
        "${data.aws_iam_policy_document.topics[each.key].json}",
    )


def test_the_refusal_applies_to_all_principals_and_only_to_plain_http() -> None:
    statement = policy("tls_only")["RefusePlainHttp"]
    assert statement["effect"] == "Deny"
    principals, condition = statement.block("principals"), statement.block("condition")
    assert (principals["type"], principals["identifiers"]) == ("*", ["*"])
    assert (condition["test"], condition["variable"], condition["values"]) == (
        "Bool",
        "aws:SecureTransport",
        ["false"],
    )


@pytest.mark.parametrize("file", ENVIRONMENTS, ids=lambda file: file.stem)
def test_only_the_local_environment_uses_plain_http(file: Path) -> None:
    assert environment(file).get("refuse_plain_http", True) == (file.stem != "local")


def test_the_alarms_of_this_stack_may_publish_to_both_topics() -> None:
    (document,) = (block for block in blocks("data") if block.name == "topics")
    (topics,) = (block["topics"] for block in blocks("locals") if "topics" in block.body)
    assert document["for_each"] == "${local.topics}"
    assert topics == {"alerts": "${aws_sns_topic.alerts.arn}", "ops": "${aws_sns_topic.ops.arn}"}
    statement = policy("topics")["PublishAlarms"]
    assert statement["actions"] == ["sns:Publish"]
    assert statement["resources"] == ["${each.value}"]
    assert statement.block("principals")["identifiers"] == ["cloudwatch.amazonaws.com"]
    conditions = {condition["variable"]: condition["values"] for condition in statement.blocks()["condition"]}
    assert conditions == {
        "aws:SourceAccount": ["${local.account_id}"],
        "aws:SourceArn": ["${local.alarms_arn}:${local.name}-*"],
    }


def test_every_bucket_is_private() -> None:
    block = resources("aws_s3_bucket_public_access_block")["each"]
    assert all(
        block[argument] is True
        for argument in (
            "block_public_acls",
            "block_public_policy",
            "ignore_public_acls",
            "restrict_public_buckets",
        )
    )
    owned = resources("aws_s3_bucket_ownership_controls")["each"]
    assert owned.block("rule")["object_ownership"] == "BucketOwnerEnforced"
    assert block["for_each"] == owned["for_each"] == "${local.buckets}"
    assert block["bucket"] == owned["bucket"] == "${each.value.id}"


def test_the_payload_bucket_expires_only_objects_without_an_item() -> None:
    assert (
        resources("aws_s3_bucket_versioning")["payloads"].block("versioning_configuration")["status"]
        == "Enabled"
    )
    for rule in resources("aws_s3_bucket_lifecycle_configuration")["payloads"].blocks()["rule"]:
        assert rule["status"] == "Enabled"
        for expiration in rule.blocks().get("expiration", []):
            if rule["id"] == "rejected-payloads":
                assert rule.block("filter")["prefix"] == "payloads/rejected/"
                assert expiration["days"] == "${var.rejected_retention_days + 7}"
            else:
                assert expiration.arguments() == {"expired_object_delete_marker"}
