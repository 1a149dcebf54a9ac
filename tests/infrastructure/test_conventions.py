"""`terraform/` is formatted, described and named consistently, and has nothing unused."""

import re
from pathlib import Path

import pytest

from tests.infrastructure.configuration import (
    ENVIRONMENTS,
    TERRAFORM,
    Block,
    blocks,
    environment,
    references,
    run_terraform,
)
from tools.local.toolchain import OLDEST_TERRAFORM

OUTPUTS = {
    "queue_url",
    "dlq_url",
    "table_name",
    "rejected_table_name",
    "duplicates_table_name",
    "alerts_topic_arn",
    "ops_topic_arn",
    "function_name",
    "payload_bucket",
    "archiver_function_name",
    "archive_bucket",
    "archive_failures_queue_url",
    "athena_workgroup",
    # For the owner of the key, who has no other tool.
    "kms_key_statements",
}

VARIABLES = [pytest.param(block, id=block.name) for block in blocks("variable")]
EVERYTHING_MADE = [pytest.param(block, id=".".join(block.labels)) for block in blocks("resource")]


def test_every_file_is_formatted() -> None:
    checked = run_terraform("fmt", "-check", "-diff", "-recursive", directory=TERRAFORM)
    assert checked.returncode == 0, f"type `make fmt`:\n{checked.stdout}{checked.stderr}"


def test_the_local_stack_requires_the_same_terraform_as_the_configuration() -> None:
    (terraform,) = (block for block in blocks("terraform") if "required_version" in block.body)
    assert terraform["required_version"] == ">= {}.{}".format(*OLDEST_TERRAFORM)


@pytest.mark.parametrize("variable", VARIABLES)
def test_every_variable_has_a_description_and_a_type(variable: Block) -> None:
    assert variable["description"].endswith(".")
    assert variable["type"]


@pytest.mark.parametrize("variable", VARIABLES)
def test_every_variable_is_used(variable: Block) -> None:
    used_outside = references("var", but_not_in="variables.tf")
    assert variable.name in used_outside


@pytest.mark.parametrize("variable", VARIABLES)
def test_every_variable_but_a_bool_is_validated(variable: Block) -> None:
    assert "validation" in variable.blocks() or variable["type"] == "bool"


def test_every_local_value_is_used() -> None:
    declared = {name for block in blocks("locals") for name in block.arguments()}
    assert declared == references("local")


def test_the_outputs_are_those_that_the_tools_read() -> None:
    assert {output.name for output in blocks("output")} == OUTPUTS


@pytest.mark.parametrize("output", [pytest.param(block, id=block.name) for block in blocks("output")])
def test_every_output_has_a_description(output: Block) -> None:
    assert output["description"].endswith(".")


@pytest.mark.parametrize("resource", EVERYTHING_MADE)
def test_no_resource_repeats_a_default_tag(resource: Block) -> None:
    # The provider reports such a tag as a difference for ever.
    assert "tags" not in resource.body


@pytest.mark.parametrize("resource", EVERYTHING_MADE)
def test_every_resource_has_a_unique_name(resource: Block) -> None:
    assert resource.name not in {"this", "main", "default"}


@pytest.mark.parametrize("resource", EVERYTHING_MADE)
def test_every_policy_is_a_policy_document(resource: Block) -> None:
    for argument in resource.arguments() & {"policy", "assume_role_policy"}:
        assert re.fullmatch(r"\$\{data\.aws_iam_policy_document\..+\.json\}", resource[argument])


def test_there_is_an_environment_for_this_machine_and_for_each_stage() -> None:
    assert [file.stem for file in ENVIRONMENTS] == ["dev", "local", "prod", "staging"]


@pytest.mark.parametrize("file", ENVIRONMENTS, ids=lambda file: file.stem)
def test_an_environment_sets_only_existing_variables_and_is_named_like_its_file(file: Path) -> None:
    settings = environment(file)
    assert set(settings) <= {variable.name for variable in blocks("variable")}
    assert settings["environment"] == file.stem
