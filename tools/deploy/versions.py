"""Published versions of the functions, and the alias that selects the live one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tools.core.aws_errors import code_of
from tools.core.errors import ToolError, UsageError
from tools.deploy.deployment_record import DeploymentRecord

# The alias's name in terraform/function.tf.
LIVE = "live"
LATEST = "$LATEST"
# compression.zstd is new in Python 3.14 (docs/adr/0037).
_ZSTD_SINCE = 14


@dataclass(frozen=True)
class LiveVersion:
    """A function, the version that its alias points to, and the alias's revision."""

    function: str
    version: str
    revision: str


def functions_of(outputs: Mapping[str, Any]) -> list[str]:
    """Return the functions among Terraform's outputs, the processor first."""
    names = [str(value) for output, value in outputs.items() if output.endswith("function_name")]
    first = str(outputs.get("function_name", ""))
    return sorted(names, key=lambda name: (name != first, name))


def live(functions: Any, names: list[str]) -> dict[str, LiveVersion]:
    """Return the live version by function, without functions that have no alias."""
    running = {}
    for name in names:
        try:
            alias = functions.get_alias(FunctionName=name, Name=LIVE)
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
            continue
        running[name] = LiveVersion(name, alias["FunctionVersion"], alias["RevisionId"])
    return running


def published(functions: Any, name: str) -> list[str]:
    """Return the published versions of a function that still exist, oldest first."""
    return sorted((version for version in _runtimes(functions, name) if version != LATEST), key=int)


def _runtimes(functions: Any, name: str) -> dict[str, str]:
    pages = functions.get_paginator("list_versions_by_function").paginate(FunctionName=name)
    return {each["Version"]: each.get("Runtime", "") for page in pages for each in page["Versions"]}


def loses_zstd(functions: Any, running: LiveVersion, version: str) -> bool:
    """Return whether the live version writes zstd, by its runtime, and this one cannot read it."""
    runtimes = _runtimes(functions, running.function)
    return _has_zstd(runtimes.get(running.version, "")) and not _has_zstd(runtimes.get(version, ""))


def _has_zstd(runtime: str) -> bool:
    # Of an unknown runtime nothing is claimed.
    minor = runtime.removeprefix("python3.")
    return not minor.isdecimal() or int(minor) >= _ZSTD_SINCE


def before(functions: Any, running: LiveVersion) -> str:
    """Return the newest version before the live one. Raises ToolError if there is none."""
    older = [v for v in published(functions, running.function) if int(v) < int(running.version)]
    if not older:
        raise ToolError(
            f"{running.function} runs version {running.version}, and no older version exists.",
            "Deploy another commit instead: git checkout ..., make test, make deploy-aws.",
        )
    return older[-1]


def check(functions: Any, running: LiveVersion, version: str) -> str:
    """Return the version if it exists and is not live. Raises UsageError."""
    known = published(functions, running.function)
    if version not in known:
        raise UsageError(
            f"{running.function} has no version {version}.",
            f"VERSION is one of: {', '.join(known) or 'none'}.",
        )
    if version == running.version:
        raise UsageError(f"{running.function} already runs version {version}.", "Nothing was changed.")
    return version


def move(functions: Any, running: LiveVersion, version: str) -> None:
    """Point the alias at another version. Raises ToolError if another user moved it meanwhile."""
    try:
        functions.update_alias(
            FunctionName=running.function, Name=LIVE, FunctionVersion=version, RevisionId=running.revision
        )
    except ClientError as error:
        if code_of(error) == "PreconditionFailedException":
            raise ToolError(
                f"Another user moved the alias of {running.function} just now.",
                "Nothing was changed. Type make drift, then the same command again if it is still correct.",
            ) from None
        raise


def rollback_targets(
    functions: Any, running: dict[str, LiveVersion], last: DeploymentRecord, version: str | None
) -> dict[str, str]:
    """Return the target version of each function: before the last deploy, or ``version`` for the processor.

    If the last deploy was already rolled back, the processor returns to the version before its current one.
    Raises ToolError if there is no such version, and UsageError for an unknown ``version``.
    """
    if not running:
        raise ToolError("No function has the alias live.", "make drift says what else is missing.")
    if version is not None:
        processor = next(iter(running))
        return {processor: check(functions, running[processor], version)}
    targets = {
        name: moved.before
        for name, moved in last.functions.items()
        if moved.before
        and moved.before != moved.after
        and name in running
        # Not moved since by another user.
        and running[name].version == moved.after
    }
    if targets:
        return {name: check(functions, running[name], version) for name, version in targets.items()}
    processor = next(iter(running))
    return {processor: before(functions, running[processor])}
