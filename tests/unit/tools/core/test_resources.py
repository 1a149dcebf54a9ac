from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.core.errors import OpsError
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


def test_what_is_exported_names_a_pipeline_on_aws() -> None:
    found = Resources.find(EXPORTS)
    assert (found.endpoint, found.region, found.queue_name) == (None, "eu-west-1", "events")
    assert found.credentials is None


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
def test_bodies_are_rewritten_on_an_emulator_that_says_so_and_never_on_aws(
    exports: dict[str, str], kept: bool
) -> None:
    assert Resources.find({**EXPORTS, **exports}).bodies_kept is kept


def test_what_is_exported_goes_before_the_local_stack(stack: Path) -> None:
    assert Resources.find({**EXPORTS, "STACK_DIR": str(stack)}).region == "eu-west-1"


def test_without_exports_it_is_the_stack_in_the_state_directory(stack: Path) -> None:
    found = Resources.find({"STACK_DIR": str(stack)})
    assert (found.endpoint, found.table_name) == ("http://127.0.0.1:4566", "events")
    assert found.state_dir == stack


def test_an_emulator_is_never_given_a_persons_aws_credentials(stack: Path) -> None:
    assert Resources.find({"STACK_DIR": str(stack)}).credentials == ("test", "test")


def test_half_a_pipeline_is_refused_naming_what_is_missing() -> None:
    half = {
        name: value for name, value in EXPORTS.items() if name not in ("TABLE_NAME", "AWS_DEFAULT_REGION")
    }
    with pytest.raises(OpsError, match="TABLE_NAME, AWS_DEFAULT_REGION is not"):
        Resources.find(half)


def test_no_stack_at_all_says_make_up(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="make up"):
        Resources.find({"STACK_DIR": str(tmp_path)})


def test_a_stack_without_an_output_is_refused_naming_it(stack: Path) -> None:
    state = json.loads((stack / "stack.json").read_text())
    del state["outputs"]["dlq_url"]
    (stack / "stack.json").write_text(json.dumps(state))
    with pytest.raises(OpsError, match="dlq_url"):
        Resources.find({"STACK_DIR": str(stack)})
