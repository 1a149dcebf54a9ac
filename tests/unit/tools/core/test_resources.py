from __future__ import annotations

import json
from pathlib import Path

import botocore.session
import pytest

from tools.core.aws import is_aws
from tools.core.errors import ToolError
from tools.core.resources import Resources

OUTPUTS = {
    "queue_url": "http://127.0.0.1:4566/000000000000/events",
    "dlq_url": "http://127.0.0.1:4566/000000000000/events-dlq",
    "table_name": "events",
    "rejected_table_name": "rejected",
    "duplicates_table_name": "duplicates",
    "alerts_topic_arn": "arn:alerts",
    "ops_topic_arn": "arn:ops",
    "function_name": "processor",
    "payload_bucket": "payloads",
}
EXPORTS = {name.upper(): value for name, value in OUTPUTS.items()} | {"AWS_DEFAULT_REGION": "eu-west-1"}


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    state = {
        "endpoint": "http://127.0.0.1:4566",
        "region": "us-east-1",
        "emulator": "ministack",
        "outputs": OUTPUTS,
    }
    (tmp_path / "stack.json").write_text(json.dumps(state))
    return tmp_path


def test_exported_names_select_a_pipeline_on_aws() -> None:
    resources = Resources.find(EXPORTS)
    assert (resources.endpoint, resources.region, resources.queue_name) == (None, "eu-west-1", "events")
    assert resources.credentials is None


@pytest.mark.parametrize(
    ("exports", "kept"),
    [
        ({}, True),
        ({"AWS_ENDPOINT_URL": "http://x"}, True),
        ({"AWS_ENDPOINT_URL": "http://x", "BODIES_REWRITTEN": "1"}, False),
        ({"AWS_ENDPOINT_URL": "http://x", "BODIES_REWRITTEN": "0"}, True),
        ({"BODIES_REWRITTEN": "1"}, True),
        ({"AWS_ENDPOINT_URL": "https://sqs.eu-west-1.amazonaws.com", "BODIES_REWRITTEN": "1"}, True),
    ],
)
def test_bodies_are_rewritten_only_on_an_emulator_that_declares_it(
    exports: dict[str, str], kept: bool
) -> None:
    assert Resources.find({**EXPORTS, **exports}).bodies_kept is kept


def test_the_endpoints_of_every_partition_are_awss() -> None:
    known = botocore.session.Session().get_data("partitions")["partitions"]
    outputs = [partition["outputs"] for partition in known]
    suffixes = {each[name] for each in outputs for name in ("dnsSuffix", "dualStackDnsSuffix")}
    assert {"amazonaws.eu", "c2s.ic.gov"} <= suffixes
    assert [suffix for suffix in suffixes if not is_aws(f"https://sqs.r.{suffix}")] == []


def test_exported_names_override_the_local_stack(stack: Path) -> None:
    assert Resources.find({**EXPORTS, "STACK_DIR": str(stack)}).region == "eu-west-1"


def test_without_exports_the_stack_of_the_state_directory_is_used(stack: Path) -> None:
    resources = Resources.find({"STACK_DIR": str(stack)})
    assert (resources.endpoint, resources.table_name) == ("http://127.0.0.1:4566", "events")
    assert resources.state_dir == stack


def test_an_emulator_never_gets_the_users_aws_credentials(stack: Path) -> None:
    assert Resources.find({"STACK_DIR": str(stack)}).credentials == ("test", "test")


def test_incomplete_exports_are_refused_with_the_missing_names() -> None:
    half = {
        name: value for name, value in EXPORTS.items() if name not in ("TABLE_NAME", "AWS_DEFAULT_REGION")
    }
    with pytest.raises(ToolError, match="TABLE_NAME, AWS_DEFAULT_REGION is not"):
        Resources.find(half)


def test_without_a_stack_the_error_says_make_up(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="make up"):
        Resources.find({"STACK_DIR": str(tmp_path)})


def test_a_stack_without_an_output_is_refused_with_its_name(stack: Path) -> None:
    state = json.loads((stack / "stack.json").read_text())
    del state["outputs"]["dlq_url"]
    (stack / "stack.json").write_text(json.dumps(state))
    with pytest.raises(ToolError, match="dlq_url"):
        Resources.find({"STACK_DIR": str(stack)})
