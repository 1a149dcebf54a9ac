"""An environment to deploy: its name, its tfvars, and where its working copy is."""

from __future__ import annotations

import functools
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.core.errors import UsageError
from tools.core.paths import ROOT, TERRAFORM_SOURCE
from tools.local import hcl
from tools.local.build import ARTIFACTS

DEPLOY_DIR = ROOT / ".deploy"
# What this package itself has to know of the variables; Terraform checks all the others.
_KNOWN = (
    *("name_prefix", "region", "allowed_account_ids", "deletion_protection", "refuse_plain_http"),
    *("large_order_threshold", "maximum_concurrency"),
)
# What is deployed is what was tested: no tfvars may name other files.
_FILES = {*ARTIFACTS, "dashboard_template", "lambda_source", "analytics_directory"}


@dataclass(frozen=True)
class Environment:
    """What the tfvars of an environment say, with the config's own defaults."""

    name: str
    var_file: Path
    directory: Path
    name_prefix: str
    region: str
    allowed_account_ids: tuple[str, ...]
    deletion_protection: bool
    refuse_plain_http: bool
    large_order_threshold: str
    maximum_concurrency: int

    @property
    def full_name(self) -> str:
        """What every name in it begins with, such as ``rt-pipeline-dev``."""
        return f"{self.name_prefix}-{self.name}"

    @classmethod
    def read(cls, name: str, var_file: Path | None = None, directory: Path | None = None) -> Environment:
        """The environment of ``terraform/env/<name>.tfvars``, or of another file that says it is ``name``.

        Raises UsageError for a file that is not there, cannot be read or is another environment's.
        """
        if not re.fullmatch(r"[a-z][a-z0-9]{1,11}", name):
            raise UsageError(
                f"ENV={name} is no environment: 2 to 12 lower-case letters and digits.",
                "ENV=dev, for example.",
            )
        if name == "state":
            raise UsageError(
                "ENV=state would own the bucket of Terraform's states by its name.", "Choose another name."
            )
        path = (var_file or TERRAFORM_SOURCE / "env" / f"{name}.tfvars").absolute()
        if not path.is_file():
            known = ", ".join(sorted(file.stem for file in (TERRAFORM_SOURCE / "env").glob("*.tfvars")))
            raise UsageError(f"There is no {_short(path)}.", f"ENV is one of: {known}. Or write that file.")
        said = _values(path)
        if _FILES & set(said):
            raise UsageError(
                f"{_short(path)} says {', '.join(sorted(_FILES & set(said)))}.",
                "Leave it out: what is deployed is what make test was green for, and nothing else.",
            )
        values = _defaults() | said
        if values.get("environment") != name:
            raise UsageError(
                f"{_short(path)} says environment = {values.get('environment')!r}, but ENV is {name}.",
                "Two environments of one name would take each other's place: put one of them right.",
            )
        base = directory or Path(os.environ.get("DEPLOY_DIR") or DEPLOY_DIR)
        known_values = {variable: values[variable] for variable in _KNOWN}
        known_values["allowed_account_ids"] = tuple(known_values["allowed_account_ids"])
        return cls(name=name, var_file=path, directory=base.absolute() / name, **known_values)

    def line_to_add(self, setting: str) -> str:
        """A sentence that says which line to add to which file."""
        return f"In {_short(self.var_file)}: {setting}"


def _values(path: Path) -> dict[str, Any]:
    try:
        return hcl.load(path.read_text(encoding="utf-8"))
    except (hcl.UnsupportedError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{_short(path)} cannot be read: {error}", "Terraform's own words: make fmt"
        ) from None


@functools.cache
def _defaults() -> dict[str, Any]:
    blocks = _values(TERRAFORM_SOURCE / "variables.tf")["variable"]
    declared = {name.strip('"'): body for block in blocks for name, body in block.items()}
    return {name: declared[name]["default"] for name in _KNOWN}


def _short(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
