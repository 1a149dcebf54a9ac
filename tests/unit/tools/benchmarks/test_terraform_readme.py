"""terraform/README.md lists the inputs and outputs of the config."""

from __future__ import annotations

import re

from tools.benchmarks.docs import terraform
from tools.core.paths import TERRAFORM_SOURCE


def declared(file: str, kind: str) -> set[str]:
    """Return the names declared in a file, found without the parser that the page is written with."""
    text = (TERRAFORM_SOURCE / file).read_text("utf-8")
    return set(re.findall(rf'^{kind} "(\w+)"', text, re.MULTILINE))


def test_every_variable_and_output_has_a_row() -> None:
    sections = terraform.sections().values()
    listed = [set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) for section in sections]
    assert listed == [declared("variables.tf", "variable"), declared("outputs.tf", "output")]


def test_only_a_variable_without_a_default_is_required() -> None:
    required = re.findall(r"^\| `(\w+)` \|.*\| n/a \| yes \|$", terraform.sections()["inputs"], re.MULTILINE)
    assert required == ["environment"]


def test_a_type_of_several_parts_reads_as_in_the_config() -> None:
    assert "| `object({ fewest = number, most = number })` | `null` | no |" in terraform.sections()["inputs"]
