import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tools.core.paths import TERRAFORM_SOURCE
from tools.core.state import StackState
from tools.local import code, shortcut, terraform
from tools.local.build import ARTIFACTS, Artifact
from tools.local.emulator import Emulator

EMULATOR = Emulator("ministack", "http://127.0.0.1:1", 1, "1", "started at 9")
ZIPS = {"lambda_zip": "a" * 64}
# Parts of another resource's description, and settings that no emulator acts on.
NOT_READ = {
    *("aws_sns_topic_policy", "aws_sqs_queue_policy", "aws_sqs_queue_redrive_allow_policy"),
    *("aws_s3_bucket_versioning", "aws_s3_bucket_lifecycle_configuration"),
    *("aws_s3_bucket_ownership_controls", "aws_s3_bucket_server_side_encryption_configuration"),
    *(
        "aws_athena_named_query",
        "aws_athena_workgroup",
        "aws_glue_catalog_database",
        "aws_glue_catalog_table",
    ),
    "terraform_data",
}


class FakeAws:
    """Answers every call with its own record of the resource."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {
            "get_queue_attributes": {"Attributes": {"DelaySeconds": "0"}},
            "get_function_configuration": {"Timeout": 10},
            "get_alias": {"FunctionVersion": "1"},
        }
        self.updates: list[str] = []

    def client(self, _service: str) -> Any:
        return self

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        answer = self.answers[operation]
        if isinstance(answer, Exception):
            raise answer
        return lambda **_: answer


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    fake = FakeAws()
    monkeypatch.setattr(StackState, "client", lambda _self, service: fake.client(service))

    def replace(_functions: Any, function: str, alias: str, zipped: Path) -> str:
        fake.updates.append(f"{function}:{alias} {zipped.name}")
        return "2"

    monkeypatch.setattr(code, "replace", replace)
    return fake


@pytest.fixture
def stack(aws: FakeAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory of a stack whose last `up` was recorded."""
    zipped = tmp_path / "lambda.zip"
    monkeypatch.setitem(ARTIFACTS, "lambda_zip", Artifact(zipped, {}))
    function = {"id": "processor", "filename": str(zipped)}
    managed = {
        "aws_sqs_queue": {"id": "http://127.0.0.1:1/queue"},
        "aws_lambda_function": function,
        "aws_lambda_alias": {"function_name": "processor", "name": "live"},
        "terraform_data": {"id": "1"},
    }
    resources = [
        {"mode": "managed", "type": kind, "instances": [{"attributes": attributes}]}
        for kind, attributes in managed.items()
    ]
    terraform.workdir(tmp_path).mkdir()
    (terraform.workdir(tmp_path) / terraform.STATE).write_text(json.dumps({"resources": resources}))
    StackState("http://127.0.0.1:1", "us-east-1", "ministack", {"queue_url": "q"}).save(tmp_path)
    shortcut.remember(tmp_path, "inputs", ZIPS, aws.client)
    return tmp_path


def up(stack: Path, inputs: str = "inputs", zips: dict[str, str] = ZIPS) -> tuple[StackState | None, str]:
    said: list[str] = []
    return shortcut.up(stack, inputs, zips, said.append), "\n".join(said)


def test_nothing_is_done_if_nothing_changed(stack: Path, aws: FakeAws) -> None:
    state, said = up(stack)
    assert state == StackState.load(stack)
    assert "nothing changed" in said
    assert aws.updates == []


def test_messages_in_a_queue_are_no_change(stack: Path, aws: FakeAws) -> None:
    aws.answers["get_queue_attributes"]["Attributes"]["ApproximateNumberOfMessages"] = "7"
    assert up(stack)[0] is not None


def test_only_the_code_that_changed_is_replaced(stack: Path, aws: FakeAws) -> None:
    state, said = up(stack, zips={"lambda_zip": "b" * 64})
    assert state is not None
    assert aws.updates == ["processor:live lambda.zip"]
    assert "version 2" in said
    assert "nothing changed" in up(stack, zips={"lambda_zip": "b" * 64})[1]


@pytest.mark.parametrize(
    "change",
    [
        lambda aws: aws.answers["get_queue_attributes"]["Attributes"].update(DelaySeconds="9"),
        lambda aws: aws.answers["get_alias"].update(FunctionVersion="0"),
        lambda aws: aws.answers.update(get_function_configuration=ClientError({}, "")),
    ],
    ids=["changed", "rolled back", "lost"],
)
def test_a_resource_that_is_not_as_it_was_left_needs_an_apply(
    stack: Path, aws: FakeAws, change: Callable[[FakeAws], None]
) -> None:
    change(aws)
    assert up(stack, zips={"lambda_zip": "b" * 64})[0] is None
    assert aws.updates == []


@pytest.mark.parametrize("lost", [shortcut.FILE, "stack.json", f"terraform/{terraform.STATE}"])
def test_a_stack_without_a_record_needs_an_apply(stack: Path, lost: str) -> None:
    (stack / lost).unlink()
    assert up(stack)[0] is None


def test_other_inputs_need_an_apply(stack: Path) -> None:
    assert up(stack, inputs="others")[0] is None


def test_code_that_cannot_be_replaced_needs_an_apply(stack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> str:
        raise ClientError({}, "UpdateFunctionCode")

    monkeypatch.setattr(code, "replace", refuse)
    assert up(stack, zips={"lambda_zip": "b" * 64})[0] is None
    assert not (stack / shortcut.FILE).exists()


def test_an_emulator_that_cannot_describe_a_resource_is_applied_to_each_time(
    stack: Path, aws: FakeAws
) -> None:
    shortcut.forget(stack)
    aws.answers["get_alias"] = ClientError({}, "GetAlias")
    shortcut.remember(stack, "inputs", ZIPS, aws.client)
    assert up(stack)[0] is None


def test_the_inputs_are_the_config_its_variables_and_this_start_of_the_emulator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "main.tf").write_text("# one\n")
    monkeypatch.setattr(shortcut, "TERRAFORM_SOURCE", tmp_path)
    restarted = Emulator(**{**EMULATOR.__dict__, "mark": "started at 10"})
    before = shortcut.inputs(EMULATOR, {})
    assert shortcut.inputs(EMULATOR, {}) == before
    others = [shortcut.inputs(restarted, {}), shortcut.inputs(EMULATOR, {"batch_size": 5})]
    (tmp_path / "main.tf").write_text("# two\n")
    others.append(shortcut.inputs(EMULATOR, {}))
    assert len({before, *others}) == 4


def test_each_type_of_resource_is_read_or_needs_no_look() -> None:
    text = "".join(path.read_text() for path in TERRAFORM_SOURCE.glob("*.tf"))
    types = set(re.findall(r'^resource "(\w+)"', text, re.MULTILINE))
    assert types == set(shortcut.READS) | NOT_READ


def test_new_code_is_published_only_if_no_version_has_it(tmp_path: Path) -> None:
    zipped = tmp_path / "lambda.zip"
    zipped.write_bytes(b"zip")
    calls: list[tuple[str, dict[str, Any]]] = []
    versions = [{"Version": "$LATEST"}, {"Version": "9", "CodeSha256": "old"}]
    functions = SimpleNamespace(
        update_function_code=lambda **given: calls.append(("update", given)),
        get_waiter=lambda _: SimpleNamespace(wait=lambda **_: None),
        get_function_configuration=lambda **_: {"CodeSha256": "new"},
        get_paginator=lambda _: SimpleNamespace(paginate=lambda **_: [{"Versions": versions}]),
        publish_version=lambda **_: {"Version": "10"},
        get_alias=lambda **_: {"FunctionVersion": "9"},
        update_alias=lambda **given: calls.append(("alias", given)),
    )
    assert code.replace(functions, "processor", "live", zipped) == "10"
    assert calls == [
        ("update", {"FunctionName": "processor", "ZipFile": b"zip"}),
        ("alias", {"FunctionName": "processor", "Name": "live", "FunctionVersion": "10"}),
    ]
