"""Read an environment to deploy: its name, its tfvars and the directory of its working copy."""

import functools
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tools.core.errors import UsageError
from tools.core.paths import ROOT, TERRAFORM_SOURCE
from tools.local import hcl
from tools.local.build import ARTIFACTS

DEPLOY_DIR = ROOT / ".deploy"
# The variables that this package uses. Terraform checks all others.
_USED = (
    *("name_prefix", "region", "allowed_account_ids", "deletion_protection", "refuse_plain_http"),
    *("large_order_threshold", "maximum_concurrency", "provisioned_pollers", "kms_key_arn"),
)
# What is deployed is what was tested: no tfvars may name other files.
_FILES = {*ARTIFACTS, "checkout"}


@dataclass(frozen=True)
class Environment:
    """The values in an environment's tfvars, with the config's defaults."""

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
    provisioned_pollers: dict[str, int] | None
    kms_key_arn: str | None

    @property
    def full_name(self) -> str:
        """The prefix of all its names, such as ``rt-pipeline-dev``."""
        return f"{self.name_prefix}-{self.name}"

    @classmethod
    def read(cls, name: str, var_file: Path | None = None, directory: Path | None = None) -> Self:
        """Read ``terraform/env/<name>.tfvars``, or another file for the environment ``name``.

        Raises UsageError for a file that is missing, unreadable or for another environment.
        """
        if not re.fullmatch(r"[a-z][a-z0-9]{1,11}", name):
            raise UsageError(
                f"ENV={name} is not a name of 2 to 12 lower-case letters and digits.",
                "Type for example ENV=dev.",
            )
        if name == "state":
            raise UsageError(
                "ENV=state would own the bucket of Terraform's states by its name.", "Choose another name."
            )
        path = (var_file or TERRAFORM_SOURCE / "env" / f"{name}.tfvars").absolute()
        if not path.is_file():
            known = ", ".join(sorted(file.stem for file in (TERRAFORM_SOURCE / "env").glob("*.tfvars")))
            raise UsageError(f"There is no {_short(path)}.", f"ENV is one of: {known}. Or create that file.")
        settings = _values(path)
        if _FILES & set(settings):
            raise UsageError(
                f"{_short(path)} sets {', '.join(sorted(_FILES & set(settings)))}.",
                "Remove it: only files that make test passed are deployed.",
            )
        defaults = _defaults()
        values = defaults | settings
        if values.get("environment") != name:
            raise UsageError(
                f"{_short(path)} sets environment = {values.get('environment')!r}, but ENV is {name}.",
                "Correct one of them, because two environments of one name would replace each other.",
            )
        base = directory or Path(os.environ.get("DEPLOY_DIR") or DEPLOY_DIR)
        known_values = {
            variable: _converted(path, variable, values[variable], defaults[variable]) for variable in _USED
        }
        known_values["allowed_account_ids"] = tuple(known_values["allowed_account_ids"])
        return cls(name=name, var_file=path, directory=base.absolute() / name, **known_values)

    def line_to_add(self, setting: str) -> str:
        """Return the instruction to add a setting to the environment's tfvars."""
        return f"In {_short(self.var_file)}: {setting}"


def _values(path: Path) -> dict[str, Any]:
    try:
        return hcl.load(path.read_text(encoding="utf-8"))
    except (hcl.UnsupportedError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{_short(path)} cannot be read: {error}", "make fmt prints Terraform's own message."
        ) from None


def _converted(path: Path, name: str, value: Any, default: Any) -> Any:
    """Return a value as Terraform converts it to the type of the variable, which is that of its default."""
    kind = type(default)
    if kind is bool and value in ("true", "false"):
        return value == "true"
    if kind is int and isinstance(value, str) and value.isdecimal():
        return int(value)
    if kind is str and type(value) in (int, float):
        return str(value)
    pollers = name == "provisioned_pollers" and value is not None
    if pollers and isinstance(value, dict) and {"min", "max"} <= set(value):
        return {key: _converted(path, f"{name}.{key}", value[key], 0) for key in ("min", "max")}
    if pollers or (default is not None and type(value) is not kind):
        raise UsageError(
            f"{_short(path)} sets {name} to {value!r:.80}, which is of another type.",
            "terraform/README.md has the type and the default of each variable.",
        )
    return value


@functools.cache
def _defaults() -> dict[str, Any]:
    blocks = _values(TERRAFORM_SOURCE / "variables.tf")["variable"]
    declared = {name.strip('"'): body for block in blocks for name, body in block.items()}
    return {name: declared[name]["default"] for name in _USED}


def _short(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
