"""Say why a run makes no progress: what the function logged, else what the emulator did."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from tools.core.resources import Resources
from tools.local import emulators
from tools.local.emulator import Emulator
from tools.ops.inspect.logs import Tail, Wanted

SECONDS = 20.0
_LINES = 3
# LocalStack writes whole events into a line.
_WIDTH = 300
# LocalStack passes on what its parts say at [WARNING].
_TROUBLE = re.compile(r"(?<!\[)\b(?:ERROR|WARN(?:ING)?)\b|Error\b|Exception\b")


class StallWatch:
    """Calls ``say`` once when a queue has not become shorter for 20 seconds."""

    def __init__(self, say: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._shortest: int | None = None
        self._since = clock()
        self._told = False

    def look(self, waiting: int) -> None:
        """Compare the queue's length with the shortest so far."""
        if self._shortest is None or waiting < self._shortest:
            self._shortest, self._since = waiting, self._clock()
        elif waiting and not self._told and self._clock() - self._since >= SECONDS:
            self._told = True
            self._say()


def explain(resources: Resources, since: float) -> str:
    """Return what the logs say of what went wrong after ``since`` (seconds since 1970)."""
    lines = _function_lines(resources, since)
    if lines:
        return "\n".join(["The function's log ends:", *lines, "More of it: make logs LEVEL=WARNING"])
    lines = _emulator_lines(resources)
    if lines:
        return "\n".join(["The function has logged no error. The emulator's log ends:", *lines])
    return "The function has logged no error. Look at the emulator's log, or at make logs."


def _function_lines(resources: Resources, since: float) -> list[str]:
    tail = Tail(resources.client("logs"), f"/aws/lambda/{resources.function_name}", int(since * 1000))
    wanted = Wanted(level="WARNING")
    try:
        # A rejected message is an outcome, not a fault.
        found = [line for line in tail.read() if wanted.takes(line) and line.message != "message rejected"]
    except (BotoCoreError, ClientError):
        return []
    return [f"  {line.render().plain}" for line in found[-_LINES:]]


def _emulator_lines(resources: Resources) -> list[str]:
    emulator = Emulator.load(resources.state_dir)
    if emulator is None or emulator.endpoint != resources.endpoint:
        return []
    lines = emulators.last_lines(emulator, resources.state_dir).splitlines()
    trouble = [line for line in lines if _TROUBLE.search(line)]
    return [f"  {line[:_WIDTH]}" for line in (trouble or lines)[-_LINES:]]
