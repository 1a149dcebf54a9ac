"""Check delivery settings that an emulator accepts and AWS refuses."""

from pathlib import Path

import pytest

from processor.settings import Settings
from tests.infrastructure.configuration import ENVIRONMENTS, Block, Variables, blocks, resources

EACH_ENVIRONMENT = pytest.mark.parametrize("file", ENVIRONMENTS, ids=lambda file: file.stem)


def queue(name: str) -> Block:
    return resources("aws_sqs_queue")[name]


def function() -> Block:
    return resources("aws_lambda_function")["processor"]


def mapping() -> Block:
    return resources("aws_lambda_event_source_mapping")["events"]


def optional_block(resource: Block, name: str) -> str:
    """Return what decides whether a resource has a block."""
    (dynamic,) = (block[name] for block in resource["dynamic"] if name in block)
    return str(dynamic["for_each"])


@EACH_ENVIRONMENT
def test_the_visibility_timeout_is_six_timeouts_and_the_batching_window(
    variables: Variables, file: Path
) -> None:
    visibility, timeout, window = (
        variables.evaluate(expression, f"-var-file={file}")
        for expression in (
            queue("events")["visibility_timeout_seconds"],
            function()["timeout"],
            mapping()["maximum_batching_window_in_seconds"],
        )
    )
    assert visibility == 6 * timeout + window


def test_the_visibility_timeout_stays_below_the_12_hours_that_sqs_allows(variables: Variables) -> None:
    longest = ("-var=environment=test", "-var=function_timeout=900", "-var=batching_window=300")
    assert variables.evaluate(queue("events")["visibility_timeout_seconds"], *longest) <= 12 * 3600


def test_a_dead_letter_is_kept_longer_than_an_event(variables: Variables) -> None:
    retention, dead_letter_retention = (
        variables.evaluate(queue(name)["message_retention_seconds"], "-var=environment=test")
        for name in ("events", "events_dlq")
    )
    assert retention < dead_letter_retention <= 14 * 24 * 3600


def test_failed_messages_go_to_the_dead_letter_queue_and_only_the_events_queue_sends_there() -> None:
    redrive = queue("events")["redrive_policy"]
    assert "deadLetterTargetArn = aws_sqs_queue.events_dlq.arn" in redrive
    assert "maxReceiveCount = var.max_receive_count" in redrive
    allowed = resources("aws_sqs_queue_redrive_allow_policy")["events_dlq"]
    assert allowed["queue_url"] == "${aws_sqs_queue.events_dlq.id}"
    assert 'redrivePermission = "byQueue"' in allowed["redrive_allow_policy"]
    assert "sourceQueueArns = [aws_sqs_queue.events.arn]" in allowed["redrive_allow_policy"]


@pytest.mark.parametrize("name", ["events", "events_dlq"])
def test_both_queues_take_messages_of_1_mib(name: str) -> None:
    assert queue(name)["max_message_size"] == 2**20


def test_the_mapping_feeds_the_function_from_the_queue() -> None:
    assert mapping()["event_source_arn"] == "${aws_sqs_queue.events.arn}"
    # By the alias, so that to move it back is all that a rollback takes.
    assert mapping()["function_name"] == "${aws_lambda_alias.processor_live.arn}"
    assert "enabled" not in mapping().arguments()


def test_every_change_is_a_version_and_the_alias_goes_along_with_it() -> None:
    assert function()["publish"] is True
    alias = resources("aws_lambda_alias")["processor_live"]
    assert alias["function_name"] == "${aws_lambda_function.processor.function_name}"
    assert alias["function_version"] == "${aws_lambda_function.processor.version}"


def test_only_failed_messages_return_to_the_queue() -> None:
    assert mapping()["function_response_types"] == ["ReportBatchItemFailures"]


def test_batch_window_and_concurrency_are_variables() -> None:
    assert mapping()["batch_size"] == "${var.batch_size}"
    assert mapping()["maximum_batching_window_in_seconds"] == "${var.batching_window}"
    wanted = "${var.maximum_concurrency == 0 ? [] : [var.maximum_concurrency]}"
    assert optional_block(mapping(), "scaling_config") == wanted
    assert optional_block(mapping(), "provisioned_poller_config") == "${var.provisioned_pollers[*]}"
    assert mapping().block("scaling_config")["maximum_concurrency"] == "${scaling_config.value}"


def test_the_function_has_its_permissions_before_the_first_batch() -> None:
    assert function()["depends_on"] == ["${aws_iam_role_policy.processor}"]


def test_the_function_is_given_every_setting_that_it_reads() -> None:
    given = function().block("environment")["variables"]
    Settings.read(dict.fromkeys(given, "1"))


def test_the_function_is_given_no_variable_that_lambda_reserves() -> None:
    given = function().block("environment")["variables"]
    assert not [name for name in given if name.startswith(("AWS_", "_", "LAMBDA_")) or name == "TZ"]


def test_the_function_knows_its_own_timeout() -> None:
    assert function()["timeout"] == "${var.function_timeout}"
    given = function().block("environment")["variables"]
    assert given["FUNCTION_TIMEOUT_SECONDS"] == "${tostring(var.function_timeout)}"


def test_the_function_has_a_random_key_that_stays_and_is_not_shown() -> None:
    (key,) = resources("terraform_data").values()
    assert key["input"] == "${uuid()}${uuid()}"
    assert key.block("lifecycle")["ignore_changes"] == ["input"]
    given = function().block("environment")["variables"]
    assert given["ORIGIN_KEY"] == "${sensitive(terraform_data.origin_key.output)}"


def test_a_new_zip_updates_the_function() -> None:
    assert function()["filename"] == "${var.lambda_zip}"
    assert function()["source_code_hash"] == "${filebase64sha256(var.lambda_zip)}"


def test_the_function_logs_json_to_a_group_with_retention() -> None:
    group = resources("aws_cloudwatch_log_group")["processor"]
    assert group["name"] == "/aws/lambda/${local.function_name}"
    assert group["retention_in_days"] == "${var.log_retention_days}"
    logging = function().block("logging_config")
    assert logging["log_format"] == "JSON"
    assert logging["log_group"] == "${aws_cloudwatch_log_group.processor.name}"


@pytest.mark.parametrize(
    ("name", "key", "expires"),
    [
        ("events", "event_id", False),
        ("rejected", "message_id", True),
        ("duplicates", "message_id", True),
    ],
)
def test_every_table_has_its_key_its_expiry_and_its_protections(name: str, key: str, expires: bool) -> None:
    table = resources("aws_dynamodb_table")[name]
    assert table["hash_key"] == key
    assert table["billing_mode"] == "PAY_PER_REQUEST"
    assert table["deletion_protection_enabled"] == "${var.deletion_protection}"
    assert table.block("point_in_time_recovery")["enabled"] == "${var.point_in_time_recovery}"
    # Without the block DynamoDB uses a key that AWS owns; with it and no key, aws/dynamodb, which is billed.
    assert optional_block(table, "server_side_encryption") == "${var.kms_key_arn[*]}"
    assert table.block("server_side_encryption")["kms_key_arn"] == "${server_side_encryption.value}"
    assert optional_block(table, "on_demand_throughput") == "${var.table_ceiling[*]}"
    assert ("ttl" in table.blocks()) == expires
    if expires:
        assert table.block("ttl")["attribute_name"] == "expires_at"
        assert table.block("ttl")["enabled"] is True


def test_there_are_three_tables() -> None:
    assert {block.name for block in blocks("resource") if block.type == "aws_dynamodb_table"} == {
        "events",
        "rejected",
        "duplicates",
    }
