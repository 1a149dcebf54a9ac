"""One variable switches the whole archive, and alarms report late or lost batches."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archiver.settings import Settings
from tests.infrastructure.configuration import Block, Variables, blocks, resources
from tests.infrastructure.monitoring import Monitoring, metrics_of_alarm
from tools.local.build import ARTIFACTS

# What there is only with an archive.
SWITCHED = [
    pytest.param(block, id=".".join(block.labels))
    for block in blocks("resource")
    if "archive" in json.dumps([block.labels, dict(block.body)]).replace("var.archive", "")
    and block.type not in {"aws_cloudwatch_composite_alarm", "aws_cloudwatch_dashboard"}
    # What reads it has a variable of its own (test_analytics.py).
    and not block.type.startswith(("aws_athena_", "aws_glue_"))
]


def function() -> Block:
    return resources("aws_lambda_function")["archiver"]


def mapping() -> Block:
    return resources("aws_lambda_event_source_mapping")["archive"]


@pytest.mark.parametrize("block", SWITCHED)
def test_without_the_variable_the_config_has_no(block: Block) -> None:
    switch = block["for_each" if "for_each" in block.body else "count"]
    assert switch.startswith(("${var.archive ? ", "${var.archive && "))
    assert switch.endswith((" : 0}", " : {}}"))


def test_without_the_variable_there_is_no_alarm_of_the_archive(
    monitoring: Monitoring, tmp_path: Path
) -> None:
    without = Monitoring(tmp_path, "-var=archive=false").alarms()
    assert monitoring.alarms().keys() - without.keys() == {
        "archiver_errors", "archiver_behind", "archiver_stopped", "archive_failures", "unreadable_records",
    }  # fmt: skip


@pytest.mark.parametrize("table", ["events", "rejected", "duplicates"])
def test_a_tables_stream_has_complete_new_items(table: str) -> None:
    block = resources("aws_dynamodb_table")[table]
    assert block["stream_enabled"] == "${var.archive}"
    assert block["stream_view_type"] == '${var.archive ? "NEW_IMAGE" : null}'
    assert f"{table} = aws_dynamodb_table.{table}.stream_arn" in mapping()["for_each"]


def test_the_archiver_gets_inserted_items_from_the_beginning_of_the_stream() -> None:
    assert mapping()["starting_position"] == "TRIM_HORIZON"
    pattern = mapping().block("filter_criteria").block("filter")["pattern"]
    assert pattern == '${jsonencode({eventName = ["INSERT"]})}'


def test_a_failed_batch_is_halved_retried_for_a_part_of_the_streams_retention_and_then_reported() -> None:
    assert mapping()["bisect_batch_on_function_error"] is True
    assert mapping()["maximum_retry_attempts"] == 10_000
    assert mapping()["maximum_record_age_in_seconds"] == "${6 * 60 * 60}"
    destination = mapping().block("destination_config").block("on_failure")["destination_arn"]
    assert destination == "${aws_sqs_queue.archive_failures[0].arn}"


def test_batches_that_lambda_gave_up_on_are_kept_for_14_days(variables: Variables) -> None:
    queue = resources("aws_sqs_queue")["archive_failures"]
    assert variables.evaluate(queue["message_retention_seconds"], "-var=environment=test") == 14 * 24 * 3600


def test_the_archiver_is_given_every_setting_that_it_reads_and_no_other() -> None:
    given = function().block("environment")["variables"]
    assert set(given) == {
        "EVENTS_TABLE", "REJECTED_TABLE", "DUPLICATES_TABLE", "PAYLOAD_BUCKET", "ARCHIVE_BUCKET",
        "FUNCTION_TIMEOUT_SECONDS", "LOG_LEVEL",
    }  # fmt: skip
    Settings.read(dict.fromkeys(given, "1"))
    assert function()["timeout"] == "${local.archiver_timeout}"
    assert given["FUNCTION_TIMEOUT_SECONDS"] == "${tostring(local.archiver_timeout)}"


def test_the_archivers_zip_has_the_shared_packages_and_nothing_of_the_processor() -> None:
    assert function()["filename"] == "${var.archiver_zip}"
    assert function()["source_code_hash"] == "${filebase64sha256(var.archiver_zip)}"
    assert function()["handler"] == "archiver.handler.handle"
    shared = {"contract", "storage", "aws_http", "common"}
    assert set(ARTIFACTS["archiver_zip"].packages) == {"archiver", *shared}


def test_both_functions_run_on_the_same_python_and_processor() -> None:
    for argument in ("runtime", "architectures"):
        assert function()[argument] == resources("aws_lambda_function")["processor"][argument]


def test_the_archiver_has_its_permissions_before_the_first_batch() -> None:
    assert function()["depends_on"] == ["${aws_iam_role_policy.archiver}"]


def test_the_archiver_logs_json_to_a_group_with_retention() -> None:
    group = resources("aws_cloudwatch_log_group")["archiver"]
    assert group["name"] == "/aws/lambda/${local.archiver_name}"
    assert group["retention_in_days"] == "${var.log_retention_days}"
    assert function()["function_name"] == "${local.archiver_name}"
    logging = function().block("logging_config")
    assert logging["log_format"] == "JSON"
    assert logging["log_group"] == "${aws_cloudwatch_log_group.archiver[0].name}"


def test_archived_objects_move_to_a_cheaper_class_and_expire() -> None:
    lifecycle = resources("aws_s3_bucket_lifecycle_configuration")["archive"]
    assert lifecycle["transition_default_minimum_object_size"] == "all_storage_classes_128K"
    rule = lifecycle.block("rule")
    assert rule["status"] == "Enabled"
    assert [(step["days"], step["storage_class"]) for step in rule.blocks()["transition"]] == [
        (30, "STANDARD_IA"),
        (90, "GLACIER_IR"),
    ]
    assert rule.block("expiration")["days"] == "${var.archive_retention_days}"


def test_the_archive_is_encrypted_and_protected_like_the_tables() -> None:
    encryption = resources("aws_s3_bucket_server_side_encryption_configuration")["each"].block("rule")
    assert encryption.block("apply_server_side_encryption_by_default")["sse_algorithm"].startswith(
        '${var.kms_key_arn == null ? "AES256"'
    )
    assert resources("aws_s3_bucket")["archive"]["force_destroy"] == "${!var.deletion_protection}"


def test_the_alarm_fires_long_before_the_streams_retention_ends(monitoring: Monitoring) -> None:
    alarm = monitoring.alarm("archiver_behind")
    assert alarm["threshold"] == 15 * 60 * 1000
    (metric,) = metrics_of_alarm(alarm)
    assert metric.name == "IteratorAge"
    assert metric.dimensions == {"FunctionName": "aws_lambda_function.archiver.function_name"}


def test_the_alarm_rings_when_events_are_stored_and_none_is_archived_for_a_quarter_of_an_hour(
    monitoring: Monitoring,
) -> None:
    # A mapping that was disabled or deleted invokes nothing: no error, no age.
    alarm = monitoring.alarm("archiver_stopped")
    queries = {query["id"]: query for query in alarm["metric_query"]}
    assert queries["unarchived"]["expression"] == "IF(FILL(archived, 0) == 0, stored, 0)"
    assert (alarm["comparison_operator"], alarm["threshold"]) == ("GreaterThanThreshold", 0)
    watched = {name: query["metric"][0] for name, query in queries.items() if "metric" in query}
    assert {name: metric["metric_name"] for name, metric in watched.items()} == {
        "stored": "Stored",
        "archived": "ArchivedEvents",
    }
    assert {alarm["evaluation_periods"] * metric["period"] for metric in watched.values()} == {15 * 60}
