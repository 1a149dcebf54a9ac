"""Read `terraform/` as data, and evaluate its variables with Terraform."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tools.local import hcl, toolchain

TERRAFORM = Path(__file__).resolve().parents[2] / "terraform"
ENVIRONMENTS = sorted((TERRAFORM / "env").glob("*.tfvars"))

_BLOCK = "__is_block__"
_NOT_ARGUMENTS = {_BLOCK, "dynamic"}


@dataclass(frozen=True)
class Block:
    """A block of the configuration, such as ``resource "aws_sqs_queue" "events"``.

    Expressions are text in ``${}``, as `hcl.load` returns them; literals are plain values.
    """

    labels: tuple[str, ...]
    body: Mapping[str, Any]

    @property
    def type(self) -> str:
        """The resource's or data source's type."""
        return self.labels[0]

    @property
    def name(self) -> str:
        """The last label, the name in the configuration."""
        return self.labels[-1]

    def __getitem__(self, argument: str) -> Any:
        return self.body[argument]

    def arguments(self) -> set[str]:
        """Return the names of the arguments that are set, without nested blocks."""
        return {
            name for name, value in self.body.items() if name not in _NOT_ARGUMENTS and not _nested(value)
        }

    def blocks(self) -> dict[str, list[Block]]:
        """Return the nested blocks by name. A `dynamic` block counts as one block of its content."""
        found = {
            name: [Block((name,), body) for body in value]
            for name, value in self.body.items()
            if name not in _NOT_ARGUMENTS and _nested(value)
        }
        for dynamic in self.body.get("dynamic", ()):
            for name, body in dynamic.items():
                found.setdefault(name, []).extend(Block((name,), content) for content in body["content"])
        return found

    def block(self, name: str) -> Block:
        """Return the only nested block of this name. Raises ValueError unless there is exactly one."""
        (block,) = self.blocks().get(name, [])
        return block


def _nested(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(one, dict) and (_BLOCK in one) for one in value)


@cache
def text() -> Mapping[str, str]:
    """Return the text of each `.tf` file by name."""
    return {file.name: file.read_text() for file in sorted(TERRAFORM.glob("*.tf"))}


@cache
def blocks(kind: str) -> tuple[Block, ...]:
    """Return all top-level blocks of a kind, such as resource, data or variable."""
    return tuple(block for content in text().values() for block in parse(content, kind))


def parse(content: str, kind: str) -> Iterator[Block]:
    """Yield the blocks of a kind in the text of one file."""
    for block in _loaded(content).get(kind, ()):
        yield from (Block(labels, body) for labels, body in _unfold(block))


_loaded = cache(hcl.load)


def _unfold(block: Mapping[str, Any], labels: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if _BLOCK in block:
        yield labels, block
        return
    for label, inner in block.items():
        yield from _unfold(inner, (*labels, label))


def resources(type_: str) -> dict[str, Block]:
    """Return the resources of a type by name."""
    return {block.name: block for block in blocks("resource") if block.type == type_}


def policy(name: str) -> dict[str, Block]:
    """Return the statements of a policy document by sid."""
    (document,) = (block for block in blocks("data") if block.labels == ("aws_iam_policy_document", name))
    return {statement["sid"]: statement for statement in document.blocks()["statement"]}


def references(kind: str, but_not_in: str = "") -> set[str]:
    """Return the names used as `<kind>.<name>`, such as `var.region`, in all files or in all but one."""
    files = (content for file, content in text().items() if file != but_not_in)
    return {name for content in files for name in re.findall(rf"\b{kind}\.(\w+)", content)}


def environment(file: Path) -> dict[str, Any]:
    """Return the values that an environment's `.tfvars` file sets."""
    return hcl.load(file.read_text())


find_terraform = cache(toolchain.find_terraform)


class Variables:
    """Terraform with only `variables.tf`, which needs no provider, to run its validations and arithmetic."""

    def __init__(self, directory: Path) -> None:
        """Work in an empty directory."""
        self._directory = directory
        shutil.copy(TERRAFORM / "variables.tf", directory)

    def problems(self, *arguments: str) -> set[str]:
        """Return the variables that Terraform rejects in a plan with these arguments."""
        lines = self._run("plan", "-json", "-input=false", "-lock=false", *arguments).stdout.splitlines()
        errors = [line["diagnostic"] for line in map(json.loads, lines) if line["@level"] == "error"]
        return {error["snippet"]["code"].split('"')[1] for error in errors}

    def evaluate(self, expression: str, *arguments: str) -> Any:
        """Return the value of an expression over variables, in the form that `hcl.load` returns."""
        inner = re.sub(r"^\$\{(.*)\}$", r"\1", expression, flags=re.DOTALL)
        answer = self._run("console", *arguments, stdin=f"jsonencode({inner})\n")
        assert answer.returncode == 0, answer.stderr
        return json.loads(json.loads(answer.stdout))

    def _run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return run_terraform(*arguments, directory=self._directory, stdin=stdin)


def run_terraform(*arguments: str, directory: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run the local stack's Terraform without the caller's Terraform variables and settings.

    Raises ToolError if there is no Terraform and none can be installed.
    """
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    quiet |= {"CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull, "NO_COLOR": "1", "GOGC": "off"}
    return subprocess.run(
        [find_terraform().command, *arguments],
        cwd=directory,
        env=quiet,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
