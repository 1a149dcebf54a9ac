"""The lines of the function's log group that tell of invocations, and what they add up to."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

_START = re.compile(r"START RequestId: (\S+)")
_REPORT = re.compile(r"REPORT RequestId: (\S+)\s+Duration: ([\d.]+) ms")
_FAILED = re.compile(r"Status: (?:error|timeout)")
# What the runtime writes when the handler raised, or ran out of time.
_TROUBLE = re.compile(r"Traceback \(most recent call last\)|\[ERROR\]|.*Task timed out after")
# MiniStack may write a run's lines late, with those of its worker's next run.
_SILENT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Batch:
    """What the function says of a batch: the fields of its line."""

    at: float
    request: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """An invocation that has ended: when, how long it took in milliseconds, and whether it failed."""

    at: float
    request: str
    milliseconds: float
    failed: bool


class Runs:
    """Follows invocations through the lines that they write. A line may be given more than once."""

    def __init__(self) -> None:
        # By request id, with the time of the line: those that told of their batch, those that ended, and
        # those of the latter that neither told nor failed.
        self._told: dict[str, float] = {}
        self._ended: dict[str, float] = {}
        self._silent: dict[str, float] = {}
        # Which request each stream is at, and which requests failed.
        self._current: dict[str, str] = {}
        self._failed: set[str] = set()

    def take(self, event: dict[str, Any]) -> Batch | Run | None:
        """What an event of FilterLogEvents tells that was not known yet."""
        at, stream, message = event["timestamp"] / 1000, event["logStreamName"], event["message"]
        if fields := read_batch(message):
            return self._tell(Batch(at, str(fields.get("request_id")), fields))
        if report := read_report(message):
            self._current.pop(stream, None)
            return self._end(Run(at, *report))
        if started := _START.match(message):
            self._current[stream] = started[1]
        elif _TROUBLE.match(message) and stream in self._current:
            self._failed.add(self._current[stream])
        return None

    def silent(self, now: float) -> int:
        """How many have ended and neither told of a batch nor failed, as far as the log says by now."""
        return sum(at < now - _SILENT_SECONDS for at in self._silent.values())

    def forget(self, read_again: float, since: float) -> None:
        """Drop what no line can be about: lines before ``read_again`` do not come a second time.

        Silent ones are kept from ``since`` on.
        """
        self._told = {request: at for request, at in self._told.items() if at >= read_again}
        self._ended = {request: at for request, at in self._ended.items() if at >= read_again}
        self._silent = {request: at for request, at in self._silent.items() if at >= since}

    def _tell(self, batch: Batch) -> Batch | None:
        self._silent.pop(batch.request, None)
        if batch.request in self._told:
            return None
        self._told[batch.request] = batch.at
        return batch

    def _end(self, run: Run) -> Run | None:
        if run.request in self._ended:
            return None
        self._ended[run.request] = run.at
        if run.request in self._failed:
            self._failed.discard(run.request)
            return Run(run.at, run.request, run.milliseconds, failed=True)
        # The function tells of its batch whatever becomes of the messages, unless it failed as a whole.
        if not run.failed and run.request not in self._told:
            self._silent[run.request] = run.at
        return run


def read_batch(message: str) -> dict[str, Any] | None:
    """The fields of the line in which the function tells of a batch; None for any other line."""
    if '"IngestLatency"' not in message:
        return None
    try:
        fields = json.loads(message)
    except ValueError:
        return None
    told = isinstance(fields, dict) and isinstance(fields.get("IngestLatency"), list)
    return fields if told else None


def read_report(message: str) -> tuple[str, float, bool] | None:
    """Request id, duration in ms, and whether it failed, of a REPORT line; None for any other line.

    Lambda writes it as text or, where the function's log format is JSON, as an object (Lambda developer
    guide, "Configuring advanced logging controls").
    """
    if match := _REPORT.match(message):
        return match[1], float(match[2]), _FAILED.search(message) is not None
    if '"platform.report"' not in message:
        return None
    try:
        record = json.loads(message)["record"]
        failed = record.get("status", "success") != "success"
        return str(record["requestId"]), float(record["metrics"]["durationMs"]), failed
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
