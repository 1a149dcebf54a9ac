"""Who gets which alert, and what a customer's key encrypts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from processor.alerts import ALERT_TYPES
from tests.infrastructure.configuration import TERRAFORM, blocks, resources, run_terraform

BY_EMAIL = {"protocol": "email", "endpoint": "a@b.example"}
FOR_PEOPLE = ["event_id_conflict", "invalid_event", "large_order"]
ENCRYPTED = {
    "aws_sqs_queue": "kms_master_key_id",
    "aws_sns_topic": "kms_master_key_id",
    "aws_cloudwatch_log_group": "kms_key_id",
}


@pytest.fixture(scope="session")
def filters(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a function that evaluates the filter policies of subscriptions, without a provider."""
    directory = tmp_path_factory.mktemp("subscriptions")
    (directory / "variables.tf").write_text((TERRAFORM / "variables.tf").read_text())
    text = (TERRAFORM / "subscriptions.tf").read_text()
    (directory / "locals.tf").write_text(text[text.index("locals {") : text.index("# A filter also")])

    def evaluate(subscriptions: dict[str, Any], *arguments: str) -> dict[str, Any]:
        said = run_terraform(
            "console",
            "-var=environment=test",
            f"-var=checkout={TERRAFORM.parent}",
            f"-var=alert_subscriptions={json.dumps(subscriptions)}",
            *arguments,
            directory=directory,
            stdin="jsonencode(local.alert_filters)\n",
        )
        assert said.returncode == 0, said.stderr
        policies: dict[str, Any] = json.loads(json.loads(said.stdout))
        return policies

    return evaluate


@pytest.mark.parametrize(
    ("subscription", "policy"),
    [
        (BY_EMAIL, {"alert_type": FOR_PEOPLE}),
        # A storm of invalid events must not be a storm of SMS.
        ({"protocol": "sms", "endpoint": "+4915112345678"}, {"alert_type": ["large_order"]}),
        (
            {"protocol": "sms", "endpoint": "+4915112345678", "alert_types": ["event_id_conflict"]},
            {"alert_type": ["event_id_conflict"]},
        ),
        (
            {**BY_EMAIL, "minimum": {"amount": 5000.5, "currency": "EUR"}},
            {"alert_type": ["large_order"], "amount": [{"numeric": [">=", 5000.5]}], "currency": ["EUR"]},
        ),
        (
            {**BY_EMAIL, "alert_types": ["batch_processed", "invalid_event"], "event_types": ["payment"]},
            {"alert_type": ["batch_processed", "invalid_event"], "event_type": ["payment"]},
        ),
    ],
    ids=["e-mail", "sms", "sms of one's choice", "minimum", "types"],
)
def test_a_subscription_filters_by_attributes(filters: Any, subscription: Any, policy: Any) -> None:
    assert filters({"it": subscription}) == {"it": policy}


def test_the_addresses_of_alert_emails_get_all_but_batch_summaries(filters: Any) -> None:
    assert filters({}, '-var=alert_emails=["x@y.example"]') == {"x@y.example": {"alert_type": FOR_PEOPLE}}


def test_alarms_have_a_topic_of_their_own_and_no_filter(filters: Any) -> None:
    assert filters({"it": {**BY_EMAIL, "topic": "ops"}}) == {}
    assert "filter_policy" not in resources("aws_sns_topic_subscription")["ops"].arguments()


def test_the_schema_that_terraform_reads_names_the_alerts_of_the_registry() -> None:
    schema = json.loads((TERRAFORM.parent / "lambda_src" / "processor" / "alerts.schema.json").read_text())
    assert {each["$ref"].removeprefix("#/$defs/") for each in schema["oneOf"]} == set(ALERT_TYPES)


def test_a_type_of_alert_that_there_is_not_is_refused() -> None:
    precondition = resources("aws_sns_topic_subscription")["alerts"].block("lifecycle").block("precondition")
    assert "setsubtract(coalesce(each.value.alert_types, []), local.alert_types)" in precondition["condition"]


def test_what_an_endpoint_refuses_is_kept_and_only_sns_may_put_it_there() -> None:
    for subscription in resources("aws_sns_topic_subscription").values():
        kept = "contains(local.fallible_protocols, each.value.protocol) ? local.undelivered : null"
        assert subscription["redrive_policy"] == f"${{{kept}}}"
    (document,) = (block for block in blocks("data") if block.name == "undelivered_alerts")
    statement = document.block("statement")
    assert statement.block("principals")["identifiers"] == ["sns.amazonaws.com"]
    topics = ["${aws_sns_topic.alerts.arn}", "${aws_sns_topic.ops.arn}"]
    assert statement.block("condition")["values"] == topics


def test_nobody_who_was_subscribed_confirms_again() -> None:
    moved = json.loads((TERRAFORM / "moved.tf.json").read_text())["moved"]
    moves = {move["from"]: move["to"] for move in moved}
    assert moves["aws_sns_topic_subscription.alert_emails"] == "aws_sns_topic_subscription.alerts"
    assert moves["aws_sns_topic_subscription.ops_emails"] == "aws_sns_topic_subscription.ops"


@pytest.mark.parametrize(
    ("type_", "name"), [(type_, name) for type_ in ENCRYPTED for name in resources(type_)], ids=str
)
def test_every_queue_topic_and_log_is_encrypted_with_the_key_that_is_given(type_: str, name: str) -> None:
    assert resources(type_)[name][ENCRYPTED[type_]] == "${var.kms_key_arn}"
    if type_ == "aws_sqs_queue":
        assert resources(type_)[name]["sqs_managed_sse_enabled"] == "${var.kms_key_arn == null ? true : null}"


def test_every_bucket_is_encrypted_with_the_key_that_is_given() -> None:
    encryption = resources("aws_s3_bucket_server_side_encryption_configuration")["each"]
    assert (encryption["for_each"], encryption["bucket"]) == ("${local.buckets}", "${each.value.id}")
    default = encryption.block("rule").block("apply_server_side_encryption_by_default")
    assert default["sse_algorithm"] == '${var.kms_key_arn == null ? "AES256" : "aws:kms"}'
    assert default["kms_master_key_id"] == "${var.kms_key_arn}"


def test_tags_are_added_to_those_that_the_tools_rely_on() -> None:
    (provider,) = blocks("provider")
    assert provider.block("default_tags")["tags"].startswith("${merge(var.tags, {Project = ")


@pytest.mark.parametrize("name", ["processor", "archiver"])
def test_both_functions_have_the_runtime_and_log_level_of_the_variables(name: str) -> None:
    function = resources("aws_lambda_function")[name]
    assert function["runtime"] == "${var.runtime}"
    assert function.block("environment")["variables"]["LOG_LEVEL"] == "${var.log_level}"
