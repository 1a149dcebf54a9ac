"""The AWS provider knows each block and argument in `terraform/`.

The schema is that of version 6.62.0. The provider that an offline machine has is older and cannot tell.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.infrastructure.configuration import Block, blocks, parse
from tests.infrastructure.trim_schema import SCHEMA

# What Terraform itself understands in any resource or data block.
META_ARGUMENTS = {"count", "for_each", "provider", "depends_on"}
# Terraform's own provider is built in.
BUILT_IN = {"terraform_data"}
META_BLOCKS = {"lifecycle", "provisioner", "connection"}

_schema = json.loads(SCHEMA.read_text())
SECTIONS = {"resource": _schema["resources"], "data": _schema["data_sources"]}
EVERY_BLOCK = [
    pytest.param(kind, block, id=".".join(block.labels))
    for kind in SECTIONS
    for block in blocks(kind)
    if block.type not in BUILT_IN
]


@pytest.mark.parametrize(("kind", "block"), EVERY_BLOCK)
def test_the_provider_accepts_every_argument_and_misses_none(kind: str, block: Block) -> None:
    schema = SECTIONS[kind].get(block.type)
    assert schema is not None, f"{block.type} is not in {SCHEMA.name}; trim_schema.py says how to add it"
    body = {name: value for name, value in block.body.items() if name not in META_ARGUMENTS | META_BLOCKS}
    assert list(_faults(Block(block.labels, body), schema, ".".join(block.labels))) == []


@pytest.mark.parametrize("kind", SECTIONS)
def test_the_schema_has_only_what_is_used(kind: str) -> None:
    assert set(SECTIONS[kind]) == {block.type for block in blocks(kind)} - BUILT_IN


def _faults(block: Block, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    arguments, nested = schema["attributes"], schema["blocks"]
    said = block.blocks()
    yield from (f"{path} has no argument {name}" for name in sorted(block.arguments() - set(arguments)))
    yield from (f"{path} has no block {name}" for name in sorted(set(said) - set(nested)))
    required = {name for name, need in arguments.items() if need == "required"}
    yield from (f"{path} needs {name}" for name in sorted(required - block.arguments()))
    yield from (
        f"{path} needs a block {name}" for name, b in nested.items() if b["required"] and name not in said
    )
    for name in set(said) & set(nested):
        for inner in said[name]:
            yield from _faults(inner, nested[name], f"{path}.{name}")


# The check is itself checked: one that finds nothing proves nothing.


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ("function_name = 1", None),
        ("", "it needs function_name"),
        ("function_name = 1\nbatchsize = 1", "it has no argument batchsize"),
        ("function_name = 1\nscaling {}", "it has no block scaling"),
        ("function_name = 1\nscaling_config {\nmaximum = 1\n}", "it.scaling_config has no argument maximum"),
        (
            'function_name = 1\ndynamic "scaling_config" {\nfor_each = []\ncontent {\nmaximum = 1\n}\n}',
            "it.scaling_config has no argument maximum",
        ),
        ("function_name = 1\nscaling_config = {}", "it has no argument scaling_config"),
        ("function_name = 1\nself_managed_event_source {}", "it.self_managed_event_source needs endpoints"),
    ],
)
def test_a_mistake_in_a_mapping_is_named(arguments: str, fault: str | None) -> None:
    (mapping,) = parse(f'resource "aws_lambda_event_source_mapping" "it" {{\n{arguments}\n}}\n', "resource")
    assert list(_faults(mapping, SECTIONS["resource"][mapping.type], "it")) == ([fault] if fault else [])


def test_a_missing_block_is_named() -> None:
    (versioning,) = parse('resource "aws_s3_bucket_versioning" "it" {\nbucket = 1\n}\n', "resource")
    faults = list(_faults(versioning, SECTIONS["resource"][versioning.type], "it"))
    assert faults == ["it needs a block versioning_configuration"]
