"""`make logs`: what the function wrote, readable, from CloudWatch Logs on any target."""

from __future__ import annotations

import json
import re
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rich.text import Text

from tools.core.console import out, safe_text
from tools.core.errors import UsageError
from tools.core.log_events import events_since
from tools.core.resources import Resources
from tools.core.time_range import seconds_of

LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}
_STYLES = {"DEBUG": "dim", "WARNING": "yellow", "ERROR": "bold red", "CRITICAL": "bold red"}
_POLL_SECONDS = 1.0
# Lines of several streams arrive out of order; a follower looks back this far.
_LATE_MILLIS = 10_000
# What Lambda itself writes when something went wrong (Lambda developer guide, "Python logging").
_TROUBLE = re.compile(r"^\[ERROR\]|Task timed out|Status: (?:timeout|error)|Runtime exited")
_PLATFORM = re.compile(r"^(?:START|END|REPORT|INIT_START|XRAY|EXTENSION) ")


@dataclass(frozen=True)
class Line:
    """One log line. ``level`` is empty for Lambda's own START, END and REPORT lines."""

    millis: int
    level: str
    message: str
    fields: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, event: dict[str, Any]) -> Line:
        """Read an event of FilterLogEvents: one of our JSON lines, or whatever else Lambda wrote."""
        raw = event["message"].rstrip("\n")
        try:
            entry = json.loads(raw)
        except ValueError:
            entry = None
        if isinstance(entry, dict) and isinstance(entry.get("level"), str) and "message" in entry:
            rest = {name: value for name, value in entry.items() if name not in ("level", "message", "_aws")}
            return cls(event["timestamp"], entry["level"].upper(), str(entry["message"]), rest)
        level = "ERROR" if _TROUBLE.search(raw) else "" if _PLATFORM.match(raw) else "INFO"
        return cls(event["timestamp"], level, raw.replace("\t", "  "))

    @property
    def is_noise(self) -> bool:
        """Whether the line only brackets an invocation; REPORT, which follows, says more."""
        return not self.level and self.message.startswith(("START ", "END "))

    def is_about(self, event_id: str) -> bool:
        """Whether the line names this event_id."""
        return _mentions(self.fields, event_id) or event_id in self.message

    def is_at_least(self, level: str) -> bool:
        """Whether the line's level is this one or a graver one."""
        return LEVELS.get(self.level, 0) >= LEVELS[level]

    def render(self, event_id: str | None = None) -> Text:
        """The line for a terminal. Of a batch's messages only those of ``event_id`` are named."""
        when = datetime.fromtimestamp(self.millis / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
        style = _STYLES.get(self.level, "" if self.level else "dim")
        text = Text.assemble((when, "dim"), f" {self.level or '-':<8}", safe_text(self.message, style))
        below = Text()
        for name, value in self.fields.items():
            if name == "events":
                value = [entry for entry in value if event_id is not None and _mentions(entry, event_id)]
            if value in (0, [], ""):
                continue
            if isinstance(value, str) and "\n" in value:
                below.append_text(safe_text("\n    " + value.rstrip().replace("\n", "\n    "), "dim"))
            else:
                text.append_text(Text.assemble("  ", (f"{name}=", "dim"), safe_text(_written(value))))
        return text.append_text(below)


@dataclass(frozen=True)
class Wanted:
    """Which lines to show."""

    event_id: str | None = None
    level: str | None = None

    def __post_init__(self) -> None:
        """Raises UsageError for an unknown level."""
        if self.level is not None and self.level not in LEVELS:
            raise UsageError(f"LEVEL={self.level} is unknown.", f"LEVEL is one of {', '.join(LEVELS)}.")

    def takes(self, line: Line) -> bool:
        """Whether to show a line."""
        if line.is_noise:
            return False
        return (self.level is None or line.is_at_least(self.level)) and (
            self.event_id is None or line.is_about(self.event_id)
        )

    @property
    def pattern(self) -> str:
        """The part of it that CloudWatch can do: a filter pattern, empty where it cannot."""
        # A quoted term; ids with other characters are left to `takes`, which decides in any case.
        simple = self.event_id is not None and re.fullmatch(r"[A-Za-z0-9_.:/-]+", self.event_id)
        return f'"{self.event_id}"' if simple else ""


class Tail:
    """Reads a log group forwards, each line once, however late lines arrive."""

    def __init__(self, logs: Any, group: str, start_millis: int, pattern: str = "") -> None:
        self._logs = logs
        self._group = group
        self._start = start_millis
        self._pattern = pattern
        self._seen: dict[tuple[str, int, str, int], int] = {}

    def read(self) -> Iterator[Line]:
        """The lines that have come since the last call, oldest first. No lines while there is no group."""
        newest = self._start
        # Two equal lines of one stream and millisecond are told apart by counting them.
        counted: dict[tuple[str, int, str], int] = {}
        for event in self._events():
            same = (event["logStreamName"], event["timestamp"], event["message"])
            counted[same] = counted.get(same, 0) + 1
            key = (*same, counted[same])
            newest = max(newest, event["timestamp"])
            if key not in self._seen:
                self._seen[key] = event["timestamp"]
                yield Line.of(event)
        self._start = max(self._start, newest - _LATE_MILLIS)
        self._seen = {key: millis for key, millis in self._seen.items() if millis >= self._start}

    def _events(self) -> Iterator[dict[str, Any]]:
        try:
            yield from events_since(self._logs, self._group, self._start, self._pattern)
        except self._logs.exceptions.ResourceNotFoundException:
            return


def show(resources: Resources, wanted: Wanted, *, since: str, limit: int, follow: bool) -> None:
    """Print the newest ``limit`` lines of the last ``since``; with ``follow``, go on until Ctrl-C."""
    start = int((time.time() - seconds_of(since)) * 1000)
    group = f"/aws/lambda/{resources.function_name}"
    tail = Tail(resources.client("logs"), group, start, wanted.pattern)
    lines: deque[Line] = deque(maxlen=limit)
    matching = 0
    for line in tail.read():
        if wanted.takes(line):
            lines.append(line)
            matching += 1
    if matching > len(lines):
        out.print(f"{limit:,} of {matching:,} lines; LIMIT={matching} shows all", style="dim")
    for line in lines:
        out.print(line.render(wanted.event_id))
    if not lines:
        out.print(f"{group} has no such lines in the last {since}; SINCE=1d looks further back.", style="dim")
    while follow:
        time.sleep(_POLL_SECONDS)
        for line in tail.read():
            if wanted.takes(line):
                out.print(line.render(wanted.event_id))


def _mentions(value: Any, wanted: str) -> bool:
    if isinstance(value, dict):
        return any(_mentions(member, wanted) for member in value.values())
    if isinstance(value, list):
        return any(_mentions(member, wanted) for member in value)
    return bool(value == wanted)


def _written(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(member, int) for member in value):
        return f"{min(value)}..{max(value)}"
    return json.dumps(value, ensure_ascii=False)
