"""Find out why a run makes no progress: from the function's log, else from the emulator's."""

import re
import time
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from tools.core.resources import Resources
from tools.local import emulators
from tools.local.emulator import Emulator
from tools.ops.inspect.logs import LogFilter, Tail

STALL_SECONDS = 20.0
_LINES = 3
# LocalStack writes whole events into a line.
_WIDTH = 300
# LocalStack passes on what its parts say at [WARNING].
_ERROR_LINE = re.compile(r"(?<!\[)\b(?:ERROR|WARN(?:ING)?)\b|Error\b|Exception\b")


class StallWatch:
    """Calls ``on_stall`` once when a queue has not become shorter for 20 seconds."""

    def __init__(self, on_stall: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._on_stall = on_stall
        self._clock = clock
        self._shortest: int | None = None
        self._since = clock()
        self._reported = False

    def update(self, depth: int) -> None:
        """Compare the queue's depth with the lowest one so far."""
        if self._shortest is None or depth < self._shortest:
            self._shortest, self._since = depth, self._clock()
        elif depth and not self._reported and self._clock() - self._since >= STALL_SECONDS:
            self._reported = True
            self._on_stall()


def explain(resources: Resources, since: float) -> str:
    """Return the last errors in the logs after ``since`` (seconds since 1970)."""
    lines = _function_lines(resources, since)
    if lines:
        return "\n".join(["The end of the function's log:", *lines, "See more: make logs LEVEL=WARNING"])
    lines = _emulator_lines(resources)
    if lines:
        return "\n".join(["The function has logged no error. The end of the emulator's log:", *lines])
    return "The function has logged no error. See the emulator's log, or: make logs"


def _function_lines(resources: Resources, since: float) -> list[str]:
    tail = Tail(resources.client("logs"), f"/aws/lambda/{resources.function_name}", int(since * 1000))
    warnings = LogFilter(level="WARNING")
    try:
        # A rejected message is an expected outcome.
        lines = [
            line for line in tail.read() if warnings.matches(line) and line.message != "message rejected"
        ]
    except (BotoCoreError, ClientError):
        return []
    return [
        "  ".join(["", line.at[11:], *(part.plain for part in line.parts()[0])]) for line in lines[-_LINES:]
    ]


def _emulator_lines(resources: Resources) -> list[str]:
    emulator = Emulator.load(resources.state_dir)
    if emulator is None or emulator.endpoint != resources.endpoint:
        return []
    lines = emulators.last_lines(emulator, resources.state_dir).splitlines()
    errors = [line for line in lines if _ERROR_LINE.search(line)]
    return [f"  {line[:_WIDTH]}" for line in (errors or lines)[-_LINES:]]
