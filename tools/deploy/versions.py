"""Published versions of the functions, and the alias that says which of them runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tools.core.aws_errors import code_of
from tools.core.errors import OpsError, UsageError

# The alias's name in terraform/function.tf.
LIVE = "live"
LATEST = "$LATEST"


@dataclass(frozen=True)
class LiveVersion:
    """A function, the version that its alias points to, and the alias's revision."""

    function: str
    version: str
    revision: str


def functions_of(outputs: Mapping[str, Any]) -> list[str]:
    """The names of all functions among Terraform's outputs, the processor first."""
    names = [str(value) for output, value in outputs.items() if output.endswith("function_name")]
    first = str(outputs.get("function_name", ""))
    return sorted(names, key=lambda name: (name != first, name))


def live(functions: Any, names: list[str]) -> dict[str, LiveVersion]:
    """What runs now, by function. A function without the alias is not in it."""
    found = {}
    for name in names:
        try:
            alias = functions.get_alias(FunctionName=name, Name=LIVE)
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
            continue
        found[name] = LiveVersion(name, alias["FunctionVersion"], alias["RevisionId"])
    return found


def published(functions: Any, name: str) -> list[str]:
    """The published versions of a function that still exist, oldest first."""
    pages = functions.get_paginator("list_versions_by_function").paginate(FunctionName=name)
    versions = [version["Version"] for page in pages for version in page["Versions"]]
    return sorted((version for version in versions if version != LATEST), key=int)


def before(functions: Any, running: LiveVersion) -> str:
    """The newest version older than the one that runs. Raises OpsError when there is none."""
    older = [v for v in published(functions, running.function) if int(v) < int(running.version)]
    if not older:
        raise OpsError(
            f"{running.function} runs its version {running.version} and there is none before it.",
            "Deploy another commit instead: git checkout ..., make test, make deploy-aws.",
        )
    return older[-1]


def check(functions: Any, running: LiveVersion, version: str) -> str:
    """The version, if it may be gone to. Raises UsageError."""
    known = published(functions, running.function)
    if version not in known:
        raise UsageError(
            f"{running.function} has no version {version}.",
            f"VERSION is one of: {', '.join(known) or 'none'}.",
        )
    if version == running.version:
        raise UsageError(f"{running.function} runs version {version} already.", "Nothing was changed.")
    return version


def move(functions: Any, running: LiveVersion, version: str) -> None:
    """Point the alias at another version, unless somebody else has moved it meanwhile. Raises OpsError."""
    try:
        functions.update_alias(
            FunctionName=running.function, Name=LIVE, FunctionVersion=version, RevisionId=running.revision
        )
    except ClientError as error:
        if code_of(error) == "PreconditionFailedException":
            raise OpsError(
                f"Somebody else moved the alias of {running.function} just now.",
                "Nothing was changed. Look first: make drift; then the same again if it is still right.",
            ) from None
        raise
