"""`make logs`: show the function's log lines from CloudWatch Logs, on AWS or an emulator."""

import json
import re
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rich.text import Text

from tools.core.console import Clock, err, out, print_row, safe_text
from tools.core.errors import require_known
from tools.core.log_events import events_since
from tools.core.resources import Resources
from tools.core.text import indent_lines
from tools.core.time_range import parse_duration

LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}
_STYLES = {"WARNING": "bold", "ERROR": "bold red", "CRITICAL": "bold red"}
# Of the further lines of a message, which then cannot be taken for lines of the log.
_INDENT = " " * 4
_POLL_SECONDS = 1.0
# Streams arrive out of order: each read overlaps the previous one by this much.
_LATE_MILLIS = 10_000
# Other names of levels that loggers and Lambda's runtimes use.
_SAME_LEVEL = {"WARN": "WARNING", "FATAL": "CRITICAL"}
# Lambda's own error lines in text format (Lambda developer guide, "Python logging").
_ERROR = re.compile(r"^\[ERROR\]|Task timed out|Status: (?:timeout|error)|Runtime exited")
# Its lines START and END, and the same in JSON format: REPORT repeats them.
_NOISE = re.compile(r"^(?:START |END |platform\.(?:start|runtimeDone|end)$)")
_PLATFORM = re.compile(r"^(?:START|END|REPORT|INIT_START|XRAY|EXTENSION) ")


@dataclass(frozen=True)
class Line:
    """A log line. ``level`` is empty for Lambda's START, END and REPORT lines."""

    millis: int
    level: str
    message: str
    fields: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_event(cls, event: dict[str, Any]) -> "Line":
        """Read an event of FilterLogEvents: a JSON line of the function, or any other line."""
        raw = event["message"].rstrip("\n")
        try:
            entry = json.loads(raw)
        except ValueError:
            entry = None
        if isinstance(entry, dict) and (line := _read_json(event["timestamp"], entry)):
            return line
        level = "ERROR" if _ERROR.search(raw) else "" if _PLATFORM.match(raw) else "INFO"
        return cls(event["timestamp"], level, raw.replace("\t", "  "))

    @property
    def is_noise(self) -> bool:
        """Return whether this is a line of Lambda that its REPORT line repeats."""
        return not self.level and _NOISE.match(self.message) is not None

    def mentions(self, event_id: str) -> bool:
        """Return whether the line contains this event_id."""
        return _contains(self.fields, event_id) or event_id in self.message

    def is_at_least(self, level: str) -> bool:
        """Return whether the line has this level or a higher one."""
        return LEVELS.get(self.level, 0) >= LEVELS[level]

    @property
    def at(self) -> str:
        """Return the time of the line (RFC 3339, UTC)."""
        time = datetime.fromtimestamp(self.millis / 1000, UTC)
        return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def to_json(self) -> str:
        """Return the line as a JSON object. In ASCII, so that no text from outside reaches the terminal."""
        return json.dumps(
            {"at": self.at, "level": self.level, "message": self.message, "fields": self.fields}
        )

    def show(self, clock: Clock, event_id: str | None = None) -> None:
        """Print the line for people. Of a batch's events, only ``event_id`` is included."""
        parts, traceback = self.parts(event_id)
        print_row(clock(self.at), *parts)
        if traceback:
            out.print(traceback)

    def parts(self, event_id: str | None = None) -> tuple[list[Text], Text]:
        """Return the level, the message and the fields; and values of several lines, such as a traceback."""
        style = _STYLES.get(self.level, "")
        # Lambda's own lines have their fields in the message.
        messages = [self.message] if self.level else self.message.split("  ")
        parts = [safe_text(f"{self.level or '-':<7}")]
        parts += [Text(indent_lines(message, _INDENT), style=style) for message in messages]
        longer = []
        for name, value in self.fields.items():
            if name == "events":
                value = [entry for entry in value if event_id is not None and _contains(entry, event_id)]
            if value in (0, [], ""):
                continue
            if isinstance(value, str) and "\n" in value:
                longer.append(Text(_INDENT + indent_lines(value.rstrip(), _INDENT)))
            else:
                parts.append(safe_text(f"{name}={_field_text(value)}"))
        return parts, Text("\n").join(longer)


@dataclass(frozen=True)
class LogFilter:
    """Criteria of the lines to show."""

    event_id: str | None = None
    level: str | None = None

    def __post_init__(self) -> None:
        """Raise UsageError for an unknown level."""
        require_known("LEVEL", self.level, LEVELS)

    def matches(self, line: Line) -> bool:
        """Return whether to show a line."""
        if line.is_noise:
            return False
        return (self.level is None or line.is_at_least(self.level)) and (
            self.event_id is None or line.mentions(self.event_id)
        )

    @property
    def pattern(self) -> str:
        """Return CloudWatch's filter pattern for the event_id, or an empty one for special characters.

        `matches` checks each line again.
        """
        simple = self.event_id is not None and re.fullmatch(r"[A-Za-z0-9_.:/-]+", self.event_id)
        return f'"{self.event_id}"' if simple else ""


class Tail:
    """Reads the new lines of a log group, each line once, in spite of late lines."""

    def __init__(self, logs: Any, group: str, start_millis: int, pattern: str = "") -> None:
        self._logs = logs
        self._group = group
        self._start = start_millis
        self._pattern = pattern
        self._read_before: dict[tuple[str, int, str, int], int] = {}

    def read(self) -> Iterator[Line]:
        """Yield the lines that have arrived since the last call, oldest first. A missing group has none."""
        newest = self._start
        # Equal lines of one stream and millisecond are distinguished by their number.
        counts: dict[tuple[str, int, str], int] = {}
        for event in self._events():
            line = (event["logStreamName"], event["timestamp"], event["message"])
            counts[line] = counts.get(line, 0) + 1
            key = (*line, counts[line])
            newest = max(newest, event["timestamp"])
            if key not in self._read_before:
                self._read_before[key] = event["timestamp"]
                yield Line.from_event(event)
        self._start = max(self._start, newest - _LATE_MILLIS)
        self._read_before = {
            key: millis for key, millis in self._read_before.items() if millis >= self._start
        }

    def _events(self) -> Iterator[dict[str, Any]]:
        try:
            yield from events_since(self._logs, self._group, self._start, self._pattern)
        except self._logs.exceptions.ResourceNotFoundException:
            return


def show(
    resources: Resources, criteria: LogFilter, *, since: str, limit: int, follow: bool, as_json: bool
) -> None:
    """Print the newest ``limit`` lines of the last ``since``; with ``follow``, continue until Ctrl-C."""
    start = int((time.time() - parse_duration(since)) * 1000)
    group = f"/aws/lambda/{resources.function_name}"
    tail, clock = Tail(resources.client("logs"), group, start, criteria.pattern), Clock()

    def show_line(line: Line) -> None:
        if as_json:
            print(line.to_json(), flush=follow)
        else:
            line.show(clock, criteria.event_id)

    lines: deque[Line] = deque(maxlen=limit)
    matching = 0
    for line in filter(criteria.matches, tail.read()):
        lines.append(line)
        matching += 1
    if matching > len(lines):
        err.print(f"These are the newest {limit:,} of {matching:,} lines. Show all: LIMIT={matching}")
    for line in lines:
        show_line(line)
    if not lines:
        err.print(f"{group} has no such lines in the last {since}. Search further back: SINCE=30d")
    while follow:
        time.sleep(_POLL_SECONDS)
        for line in filter(criteria.matches, tail.read()):
            show_line(line)


def _read_json(millis: int, entry: dict[str, Any]) -> Line | None:
    """Read a line of the function, of Python's runtime or of Lambda itself; None for any other object.

    Lambda developer guide, "Configuring advanced logging controls": the runtime logs an unhandled exception
    as errorType, errorMessage and log_level, Lambda what happened to an invocation as type and record.
    """
    kind, record = entry.get("type"), entry.get("record")
    if isinstance(kind, str) and kind.startswith("platform."):
        fields = record if isinstance(record, dict) else {"record": record}
        failed = kind == "platform.fault" or fields.get("status", "success") != "success"
        found = fields.get("metrics")
        metrics: dict[str, Any] = found if isinstance(found, dict) else {}
        rest = {name: value for name, value in fields.items() if name not in ("metrics", "spans", "tracing")}
        return Line(millis, "ERROR" if failed else "", kind, {**rest, **metrics})
    level = entry.get("level") or entry.get("log_level") or ("ERROR" if "errorType" in entry else None)
    message = entry.get("message", entry.get("errorMessage", entry.get("errorType")))
    if not isinstance(level, str) or message is None:
        return None
    shown = ("level", "log_level", "message", "_aws") + (() if "message" in entry else ("errorMessage",))
    rest = {name: value for name, value in entry.items() if name not in shown}
    if isinstance(trace := rest.get("stackTrace"), list):
        rest["stackTrace"] = "\n".join(str(part).rstrip() for part in trace) + "\n"
    level = level.upper()
    return Line(millis, _SAME_LEVEL.get(level, level), str(message), rest)


def _contains(value: Any, event_id: str) -> bool:
    if isinstance(value, dict):
        return any(_contains(member, event_id) for member in value.values())
    if isinstance(value, list):
        return any(_contains(member, event_id) for member in value)
    return bool(value == event_id)


def _field_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(member, int) for member in value):
        return f"{min(value)}..{max(value)}"
    return json.dumps(value, ensure_ascii=False)
