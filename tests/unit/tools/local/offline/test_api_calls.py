"""Set values after the apply. The stubbed clients check each call against AWS's API models."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from tools.local import offline
from tools.local.offline import api_calls
from tools.local.offline.api_calls import DryRunClients, set_missing_values

URL = "http://127.0.0.1:4566/000000000000/events"
UUID = "eb5a8fdd-0280-475b-b867-e3e6f7301c8c"
SETTINGS = {
    "function_response_types": ["ReportBatchItemFailures"],
    "scaling_config": [{"maximum_concurrency": 5}],
}
MAPPING = {"type": "aws_lambda_event_source_mapping", "id": UUID, "values": SETTINGS}
COMPLETE = {
    "UUID": UUID,
    "State": "Enabled",
    "FunctionResponseTypes": ["ReportBatchItemFailures"],
    "ScalingConfig": {"MaximumConcurrency": 5},
}


class Services:
    """boto3 clients that expect certain calls in a certain order, and no others."""

    def __init__(self) -> None:
        self._clients: dict[str, Any] = {}
        self._stubs: dict[str, Stubber] = {}

    def __call__(self, service: str) -> Any:
        return self._clients[service]

    def expect(self, service: str, call: str, response: dict[str, Any], **parameters: Any) -> None:
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,  # type: ignore[call-overload, unused-ignore]
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
            )
            self._stubs[service] = Stubber(self._clients[service])
            self._stubs[service].activate()
        self._stubs[service].add_response(call, response, parameters)

    def check(self) -> None:
        for stub in self._stubs.values():
            stub.assert_no_pending_responses()


@pytest.fixture
def aws() -> Iterator[Services]:
    services = Services()
    yield services
    services.check()


def test_a_new_mapping_is_completed_and_enabled_in_one_call(aws: Services) -> None:
    aws.expect("lambda", "get_event_source_mapping", {"State": "Disabled"}, UUID=UUID)
    aws.expect(
        "lambda",
        "update_event_source_mapping",
        {},
        UUID=UUID,
        Enabled=True,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        ScalingConfig={"MaximumConcurrency": 5},
    )
    aws.expect("lambda", "get_event_source_mapping", COMPLETE, UUID=UUID)
    set_missing_values(aws, [MAPPING])


def test_a_stream_s_mapping_gets_its_filters(aws: Services) -> None:
    filters = {"Filters": [{"Pattern": '{"eventName":["INSERT"]}'}]}
    values = {"filter_criteria": [{"filter": [{"pattern": '{"eventName":["INSERT"]}'}]}]}
    aws.expect("lambda", "get_event_source_mapping", {"State": "Disabled"}, UUID=UUID)
    aws.expect("lambda", "update_event_source_mapping", {}, UUID=UUID, Enabled=True, FilterCriteria=filters)
    complete = {"UUID": UUID, "State": "Enabled", "FilterCriteria": filters}
    for _ in range(2):  # once when it was changed, and in a second run
        aws.expect("lambda", "get_event_source_mapping", complete, UUID=UUID)
    mapping = {"type": "aws_lambda_event_source_mapping", "id": UUID, "values": values}
    set_missing_values(aws, [mapping])
    set_missing_values(aws, [mapping])


def test_a_complete_mapping_is_not_changed(aws: Services) -> None:
    aws.expect("lambda", "get_event_source_mapping", COMPLETE, UUID=UUID)
    set_missing_values(aws, [MAPPING])


def test_a_mapping_gets_the_changes_of_the_config(aws: Services) -> None:
    aws.expect(
        "lambda",
        "get_event_source_mapping",
        COMPLETE | {"ScalingConfig": {"MaximumConcurrency": 2}},
        UUID=UUID,
    )
    wanted = {key: COMPLETE[key] for key in ("FunctionResponseTypes", "ScalingConfig")}
    aws.expect("lambda", "update_event_source_mapping", {}, UUID=UUID, Enabled=True, **wanted)
    aws.expect("lambda", "get_event_source_mapping", COMPLETE, UUID=UUID)
    set_missing_values(aws, [MAPPING])


def test_a_mapping_in_creation_is_waited_for(aws: Services) -> None:
    aws.expect("lambda", "get_event_source_mapping", {"State": "Creating"}, UUID=UUID)
    aws.expect("lambda", "get_event_source_mapping", COMPLETE, UUID=UUID)
    set_missing_values(aws, [MAPPING])


def test_a_mapping_that_never_becomes_stable_is_an_error(
    aws: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_calls, "MAPPING_SECONDS", -1)
    aws.expect("lambda", "get_event_source_mapping", {"State": "Creating"}, UUID=UUID)
    with pytest.raises(TimeoutError, match="is still Creating"):
        set_missing_values(aws, [MAPPING])


def test_a_function_is_complete_before_its_mapping_runs(aws: Services) -> None:
    values = {"runtime": "python3.14", "logging_config": [{"log_format": "JSON", "system_log_level": None}]}
    wanted = {"Runtime": "python3.14", "LoggingConfig": {"LogFormat": "JSON"}}
    name = "processor"
    aws.expect("lambda", "get_function_configuration", {"Runtime": "python3.8"}, FunctionName=name)
    aws.expect("lambda", "update_function_configuration", {}, FunctionName=name, **wanted)
    aws.expect(
        "lambda", "get_function", {"Configuration": {"LastUpdateStatus": "Successful"}}, FunctionName=name
    )
    aws.expect("lambda", "get_event_source_mapping", COMPLETE, UUID=UUID)
    set_missing_values(aws, [MAPPING, {"type": "aws_lambda_function", "id": name, "values": values}])


def test_a_function_with_additional_settings_is_not_changed(aws: Services) -> None:
    logging = {"LogFormat": "JSON", "LogGroup": "/aws/lambda/processor"}
    aws.expect("lambda", "get_function_configuration", {"LoggingConfig": logging}, FunctionName="processor")
    values = {"logging_config": [{"log_format": "JSON"}]}
    set_missing_values(aws, [{"type": "aws_lambda_function", "id": "processor", "values": values}])


FUNCTION = "processor"
ALIAS = {
    "type": "aws_lambda_alias",
    "id": f"arn:aws:lambda:us-east-1:000000000000:function:{FUNCTION}:live",
    "values": {},
}


def expect_versions(aws: Services, latest: str, published: list[str]) -> None:
    """A function whose code is `latest`, and whose versions, from 1 on, have the code in `published`."""
    aws.expect("lambda", "get_function_configuration", {"CodeSha256": latest}, FunctionName=FUNCTION)
    versions = [{"Version": str(number + 1), "CodeSha256": code} for number, code in enumerate(published)]
    listed = {"Versions": [{"Version": "$LATEST", "CodeSha256": latest}, *versions]}
    aws.expect("lambda", "list_versions_by_function", listed, FunctionName=FUNCTION)


def expect_alias(aws: Services, version: str) -> None:
    aws.expect("lambda", "get_alias", {"FunctionVersion": version}, FunctionName=FUNCTION, Name="live")


def test_a_new_function_is_published_and_its_alias_moved(aws: Services) -> None:
    expect_versions(aws, "new", published=[])
    aws.expect("lambda", "publish_version", {"Version": "1"}, FunctionName=FUNCTION)
    expect_alias(aws, "$LATEST")
    aws.expect("lambda", "update_alias", {}, FunctionName=FUNCTION, Name="live", FunctionVersion="1")
    set_missing_values(aws, [ALIAS])


def test_a_published_function_is_not_published_again(aws: Services) -> None:
    expect_versions(aws, "same", published=["old", "same"])
    expect_alias(aws, "2")
    set_missing_values(aws, [ALIAS])


def test_an_alias_that_was_moved_back_moves_to_the_newest_version(aws: Services) -> None:
    expect_versions(aws, "same", published=["old", "same"])
    expect_alias(aws, "1")
    aws.expect("lambda", "update_alias", {}, FunctionName=FUNCTION, Name="live", FunctionVersion="2")
    set_missing_values(aws, [ALIAS])


def test_a_dry_run_records_the_calls_and_changes_nothing(aws: Services) -> None:
    expect_versions(aws, "same", published=["old", "same"])
    expect_alias(aws, "1")
    dry_run = DryRunClients(aws)
    set_missing_values(dry_run, [ALIAS])
    (call,) = dry_run.calls
    assert call == "lambda update_alias: FunctionName processor, Name live, FunctionVersion 2"


@pytest.mark.parametrize("state", ["{}", '{"version": 4, "resources": []}'])
def test_nothing_differs_where_nothing_is_deployed(state: str, aws: Services) -> None:
    assert offline.differences(state, aws) == []


def test_a_dry_run_without_differences_records_nothing(aws: Services) -> None:
    aws.expect("lambda", "get_event_source_mapping", COMPLETE, UUID=UUID)
    dry_run = DryRunClients(aws)
    set_missing_values(dry_run, [MAPPING])
    assert dry_run.calls == []


def test_a_queue_gets_its_attributes_as_text(aws: Services) -> None:
    current = {"MaximumMessageSize": "262144", "SqsManagedSseEnabled": "true"}
    aws.expect("sqs", "get_queue_attributes", {"Attributes": current}, QueueUrl=URL, AttributeNames=["All"])
    wanted = {"MaximumMessageSize": "1048576", "SqsManagedSseEnabled": "true"}
    aws.expect("sqs", "set_queue_attributes", {}, QueueUrl=URL, Attributes=wanted)
    values = {"max_message_size": 1048576, "sqs_managed_sse_enabled": True}
    set_missing_values(aws, [{"type": "aws_sqs_queue", "id": URL, "values": values}])


def test_a_policy_in_another_order_is_not_changed(aws: Services) -> None:
    current = {"RedriveAllowPolicy": '{"b": 2, "a": 1}'}
    aws.expect("sqs", "get_queue_attributes", {"Attributes": current}, QueueUrl=URL, AttributeNames=["All"])
    values = {"queue_url": URL, "redrive_allow_policy": '{"a":1,"b":2}'}
    set_missing_values(aws, [{"type": "aws_sqs_queue_redrive_allow_policy", "id": None, "values": values}])


def test_a_redrive_allow_policy_is_set_on_its_queue(aws: Services) -> None:
    aws.expect("sqs", "get_queue_attributes", {"Attributes": {}}, QueueUrl=URL, AttributeNames=["All"])
    aws.expect("sqs", "set_queue_attributes", {}, QueueUrl=URL, Attributes={"RedriveAllowPolicy": '{"a":1}'})
    values = {"queue_url": URL, "redrive_allow_policy": '{"a":1}'}
    set_missing_values(aws, [{"type": "aws_sqs_queue_redrive_allow_policy", "id": None, "values": values}])


def test_a_table_is_protected_unless_it_is_already(aws: Services) -> None:
    table = {"type": "aws_dynamodb_table", "id": "events", "values": {"deletion_protection_enabled": True}}
    for protected in (False, True):
        description = {"Table": {"DeletionProtectionEnabled": protected, "TableStatus": "ACTIVE"}}
        aws.expect("dynamodb", "describe_table", description, TableName="events")
        if not protected:
            aws.expect("dynamodb", "update_table", {}, TableName="events", DeletionProtectionEnabled=True)
            aws.expect("dynamodb", "describe_table", description, TableName="events")
    set_missing_values(aws, [table])
    set_missing_values(aws, [table])


def test_a_bucket_keeps_versions(aws: Services) -> None:
    wanted = {"Status": "Enabled"}
    aws.expect("s3", "get_bucket_versioning", {}, Bucket="payloads")
    aws.expect("s3", "put_bucket_versioning", {}, Bucket="payloads", VersioningConfiguration=wanted)
    values = {"bucket": "payloads", "versioning_configuration": [{"status": "Enabled"}]}
    set_missing_values(aws, [{"type": "aws_s3_bucket_versioning", "id": None, "values": values}])
