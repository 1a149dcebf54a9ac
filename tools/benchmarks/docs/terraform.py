"""The tables of terraform/README.md: the variables and outputs, as terraform-docs lays them out."""

import json
import re
from collections.abc import Mapping
from typing import Any

from tools.benchmarks.tables import text_table
from tools.core.paths import TERRAFORM_SOURCE
from tools.local import hcl

_REQUIRED = object()


def sections() -> dict[str, str]:
    """Return the sections by name."""
    inputs = [_input(name, body) for name, body in _blocks("variables.tf", "variable")]
    outputs = [[f"`{name}`", body["description"]] for name, body in _blocks("outputs.tf", "output")]
    return {
        "inputs": text_table(["Name", "Description", "Type", "Default", "Required"], inputs),
        "outputs": text_table(["Name", "Description"], outputs),
    }


def _blocks(file: str, kind: str) -> list[tuple[str, Mapping[str, Any]]]:
    content = hcl.load((TERRAFORM_SOURCE / file).read_text("utf-8"))
    return sorted((name, body) for block in content[kind] for name, body in block.items())


def _input(name: str, body: Mapping[str, Any]) -> list[str]:
    default = body.get("default", _REQUIRED)
    printed = "n/a" if default is _REQUIRED else f"`{json.dumps(default)}`"
    # python-hcl2 wraps expressions in ${} and drops the spaces inside braces.
    type_ = re.sub(r"^\$\{(.*)\}$", r"\1", body["type"]).replace("({", "({ ").replace("})", " })")
    required = "yes" if default is _REQUIRED else "no"
    return [f"`{name}`", body["description"], f"`{type_}`", printed, required]
