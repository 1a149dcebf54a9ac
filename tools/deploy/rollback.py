"""Choose the version that a function returns to."""

from typing import Any

from tools.core.errors import ToolError
from tools.deploy import versions
from tools.deploy.deployment_record import DeploymentRecord
from tools.deploy.versions import LiveVersion


def moves(
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
        return {processor: versions.check(functions, running[processor], version)}
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
        return {name: versions.check(functions, running[name], version) for name, version in targets.items()}
    processor = next(iter(running))
    return {processor: versions.before(functions, running[processor])}
