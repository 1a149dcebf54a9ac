"""Which version a function goes back to."""

from __future__ import annotations

from typing import Any

from tools.core.errors import OpsError
from tools.deploy import versions
from tools.deploy.deployment_record import DeploymentRecord
from tools.deploy.versions import LiveVersion


def moves(
    functions: Any, running: dict[str, LiveVersion], last: DeploymentRecord, version: str | None
) -> dict[str, str]:
    """Which function goes to which version: back before the last deploy, or the processor to ``version``.

    Where nothing runs any more that the last deploy moved, the processor goes one version further back.
    Raises OpsError when there is nowhere to go, UsageError for a version that is not there.
    """
    if not running:
        raise OpsError("No function has the alias live.", "make drift says what else is missing.")
    if version is not None:
        processor = next(iter(running))
        return {processor: versions.check(functions, running[processor], version)}
    found = {
        name: moved.before
        for name, moved in last.functions.items()
        if moved.before
        and moved.before != moved.after
        and name in running
        # Not what somebody has moved since.
        and running[name].version == moved.after
    }
    if found:
        return {name: versions.check(functions, running[name], version) for name, version in found.items()}
    processor = next(iter(running))
    return {processor: versions.before(functions, running[processor])}
