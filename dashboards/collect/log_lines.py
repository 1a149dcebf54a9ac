"""Parse the lines of the function's log group that describe invocations, and track the invocations."""

import json
import re
from dataclasses import dataclass
from typing import Any

_START = re.compile(r"START RequestId: (\S+)")
_REPORT = re.compile(r"REPORT RequestId: (\S+)\s+Duration: ([\d.]+) ms")
_FAILED_STATUS = re.compile(r"Status: (?:error|timeout)")
# The runtime writes these when the handler raises or times out.
_FAILURE = re.compile(r"Traceback \(most recent call last\)|\[ERROR\]|.*Task timed out after")
# MiniStack may write an invocation's lines late, together with those of the worker's next one.
_SILENT_AFTER_SECONDS = 5


@dataclass(frozen=True, slots=True)
class BatchLine:
    """The line that the function logs for a batch, and its fields."""

    time: float
    request_id: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Invocation:
    """A finished invocation: its end, its duration in milliseconds, and whether it failed."""

    time: float
    request_id: str
    millis: float
    failed: bool


class InvocationTracker:
    """Follows invocations through their log lines. The same line may come more than once."""

    def __init__(self) -> None:
        # Times by request id: of batch lines, of finished invocations, and of those among the latter that
        # logged neither a batch nor a failure.
        self._batches: dict[str, float] = {}
        self._finished: dict[str, float] = {}
        self._silent: dict[str, float] = {}
        # The request that each stream is at, and the requests that failed.
        self._current: dict[str, str] = {}
        self._failed: set[str] = set()

    def process(self, event: dict[str, Any]) -> BatchLine | Invocation | None:
        """Process an event of FilterLogEvents. Return its batch or invocation unless it is a repetition."""
        time, stream, message = event["timestamp"] / 1000, event["logStreamName"], event["message"]
        if fields := parse_batch_line(message):
            return self._add_batch(BatchLine(time, str(fields.get("request_id")), fields))
        if report := parse_report_line(message):
            self._current.pop(stream, None)
            return self._add_invocation(Invocation(time, *report))
        if started := _START.match(message):
            self._current[stream] = started[1]
        elif _FAILURE.match(message) and stream in self._current:
            self._failed.add(self._current[stream])
        return None

    def count_silent(self, now: float) -> int:
        """Return how many finished invocations have so far logged neither a batch nor a failure."""
        return sum(time < now - _SILENT_AFTER_SECONDS for time in self._silent.values())

    def expire(self, read_again_from: float, silent_from: float) -> None:
        """Drop requests whose lines will not be read again, and silent invocations before ``silent_from``."""
        self._batches = _since(read_again_from, self._batches)
        self._finished = _since(read_again_from, self._finished)
        self._silent = _since(silent_from, self._silent)

    def _add_batch(self, batch: BatchLine) -> BatchLine | None:
        self._silent.pop(batch.request_id, None)
        if batch.request_id in self._batches:
            return None
        self._batches[batch.request_id] = batch.time
        return batch

    def _add_invocation(self, invocation: Invocation) -> Invocation | None:
        request_id = invocation.request_id
        if request_id in self._finished:
            return None
        self._finished[request_id] = invocation.time
        if request_id in self._failed:
            self._failed.discard(request_id)
            return Invocation(invocation.time, request_id, invocation.millis, failed=True)
        # The function logs its batch whatever the outcome of the messages, unless it fails as a whole.
        if not invocation.failed and request_id not in self._batches:
            self._silent[request_id] = invocation.time
        return invocation


def _since(start: float, times: dict[str, float]) -> dict[str, float]:
    return {request_id: time for request_id, time in times.items() if time >= start}


def parse_batch_line(message: str) -> dict[str, Any] | None:
    """Return the fields of the function's line for a batch, or None for any other line."""
    if '"batch processed"' not in message:
        return None
    try:
        fields = json.loads(message)
    except ValueError:
        return None
    is_batch = isinstance(fields, dict) and fields.get("message") == "batch processed"
    return fields if is_batch else None


def parse_report_line(message: str) -> tuple[str, float, bool] | None:
    """Return request id, duration in ms and failure of a REPORT line, or None for any other line.

    Lambda writes it as text or, if the function's log format is JSON, as an object (Lambda developer guide,
    "Configuring advanced logging controls").
    """
    if match := _REPORT.match(message):
        return match[1], float(match[2]), _FAILED_STATUS.search(message) is not None
    if '"platform.report"' not in message:
        return None
    try:
        report = json.loads(message)["record"]
        failed = report.get("status", "success") != "success"
        return str(report["requestId"]), float(report["metrics"]["durationMs"]), failed
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
