from __future__ import annotations

import json
import time
from typing import Any

import pytest

from dashboards.collect.log_group import LogGroup
from dashboards.collect.log_lines import read_batch, read_report
from dashboards.state import Activity
from dashboards.values import Absent
from processor.report import report
from tests.fakes import client_error
from tests.unit.dashboards.builders import NOW
from tests.unit.dashboards.fakes import Fake, raising, target


class Log:
    """A log group, one stream for each run as in MiniStack."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def write(self, stream: str, at: float, *messages: str) -> None:
        self.events += [
            {"logStreamName": stream, "timestamp": int(at * 1000), "message": message} for message in messages
        ]
        self.events.sort(key=lambda event: event["timestamp"])

    def run(self, request: str, at: float, *between: str, milliseconds: int = 100) -> None:
        """The lines of a run that ended at a time."""
        started, ended = f"START RequestId: {request} Version: $LATEST", f"END RequestId: {request}"
        reported = f"REPORT RequestId: {request}\tDuration: {milliseconds} ms\tBilled Duration: 1 ms"
        self.write(request, at, started, *between, ended, reported)

    def filter_log_events(self, startTime: int, **_: Any) -> Any:  # noqa: N803
        return {"events": [event for event in self.events if event["timestamp"] >= startTime]}


def batch(request: str, **counts: Any) -> str:
    """The line in which the function tells of a batch."""
    return json.dumps({"message": "batch processed", "request_id": request, "IngestLatency": [], **counts})


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr(time, "time", lambda: NOW)
    return NOW


def collector(log: Log) -> LogGroup:
    return LogGroup(target(logs=Fake(filter_log_events=log.filter_log_events)), 2)


def told(log: Log) -> Activity:
    activity: Activity = collector(log).collect().value
    return activity


def test_rates_are_means_of_the_last_ten_seconds(now: float) -> None:
    log = Log()
    log.run("a", now - 60, batch("a", Received=900, Stored=900))
    log.run("b", now - 5, batch("b", Received=40, Stored=30, Duplicates=6, Rejected=4))
    found = told(log)
    assert (found.received, found.stored, found.duplicates, found.rejected) == (4.0, 3.0, 0.6, 0.4)
    assert found.invocations == 0.1


def test_what_goes_back_to_the_queue_has_not_left_it(now: float) -> None:
    log = Log()
    log.run("a", now - 5, batch("a", Received=60, Stored=10, Redelivered=20, Returned=30))
    assert told(log).settled == 3.0


def test_a_silent_log_group_means_that_nothing_happened(now: float) -> None:
    found = told(Log())
    assert (found.received, found.invocations, found.errors) == (0.0, 0.0, 0.0)


def test_what_no_line_tells_is_absent(now: float) -> None:
    found = told(Log())
    assert found.throttles == Absent("not logged")
    assert found.write_units == found.read_units == found.table_throttles == Absent("no metrics")
    assert found.latency_p50 == Absent("nothing stored in 60 s")
    assert found.duration_p95 == Absent("no run in 60 s")


def test_latencies_and_durations_are_those_of_the_last_minute(now: float) -> None:
    log = Log()
    log.run("old", now - 70, batch("old", IngestLatency=[99_000]), milliseconds=99_000)
    log.run("a", now - 9, batch("a", IngestLatency=list(range(1, 101))), milliseconds=10)
    log.run("b", now - 8, batch("b"), milliseconds=30)
    found = told(log)
    assert (found.latency_p50, found.latency_p95) == (50.0, 95.0)
    assert (found.duration_p50, found.duration_p95) == (10.0, 30.0)


def test_events_are_counted_by_type(now: float) -> None:
    log = Log()
    log.run("a", now - 500, batch("a", StoredOrder=3, StoredPayment=2))
    log.run("b", now - 5, batch("b", StoredOrder=4, StoredActivity=1))
    assert told(log).by_type == {"order": 7.0, "payment": 2.0, "activity": 1.0}


def test_concurrency_is_the_most_runs_at_once(now: float) -> None:
    log = Log()
    log.run("a", now - 5.0, batch("a"), milliseconds=1000)
    log.run("b", now - 4.5, batch("b"), milliseconds=1000)
    log.run("c", now - 3.0, batch("c"), milliseconds=1000)
    assert told(log).concurrency == 2.0


def test_a_line_read_twice_counts_once(now: float) -> None:
    log = Log()
    log.run("a", now - 5, batch("a", Received=10))
    both = collector(log)
    both.collect()
    log.run("b", now - 4, batch("b", Received=10))
    assert both.collect().value.received == 2.0


def test_only_the_end_of_the_log_is_read_again(now: float) -> None:
    log = Log()
    log.run("a", now - 500, batch("a"))
    log.run("b", now - 5, batch("b"))
    logs = Fake(filter_log_events=log.filter_log_events)
    follower = LogGroup(target(logs=logs), 2)
    follower.collect()
    follower.collect()
    first, second = (request["startTime"] for _, request in logs.calls)
    assert (first, second) == (int((now - 900) * 1000), int((now - 7) * 1000))


@pytest.mark.parametrize(
    "line",
    [
        "Traceback (most recent call last):",
        "[ERROR] KeyError: 'x'",
        "2026-11-23T02:00:00Z a Task timed out after 30 s",
    ],
)
def test_a_run_whose_log_shows_an_exception_or_a_timeout_is_an_error(now: float, line: str) -> None:
    log = Log()
    log.run("a", now - 50, line)
    log.run("b", now - 40, batch("b"))
    found = told(log)
    assert (found.errors, found.silent) == (1.0, 0.0)


def test_a_run_that_says_nothing_is_counted_as_silent(now: float) -> None:
    log = Log()
    log.run("a", now - 50)
    found = told(log)
    assert (found.errors, found.silent) == (0.0, 1.0)


def test_a_silent_run_is_heard_when_its_line_comes_late_with_another_runs(now: float) -> None:
    log = Log()
    log.run("a", now - 50)
    follower = collector(log)
    follower.collect()
    log.run("b", now - 3, batch("a", Received=10), batch("b", Received=10))
    found = follower.collect().value
    assert (found.silent, found.received) == (0.0, 2.0)


def test_a_log_group_that_does_not_exist_is_a_problem_and_not_silence() -> None:
    gone = client_error("FilterLogEvents", "ResourceNotFoundException")
    follower = LogGroup(target(logs=Fake(filter_log_events=raising(gone))), 2)
    with pytest.raises(type(gone)):
        follower.collect()


def test_the_line_that_the_function_writes_is_the_one_that_is_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from datetime import UTC, datetime

    report([], ["unread-1"], "request-1", datetime.now(UTC))
    fields = read_batch(capsys.readouterr().out)
    assert fields is not None
    assert fields["request_id"] == "request-1"
    for name in (
        "Received",
        "Stored",
        "Duplicates",
        "Rejected",
        "Redelivered",
        "StoredOrder",
        "IngestLatency",
    ):
        assert name in fields


def test_reports_are_read_as_text_and_as_json() -> None:
    assert read_report("REPORT RequestId: r-1\tDuration: 12.5 ms\tBilled Duration: 13 ms") == (
        "r-1",
        12.5,
        False,
    )
    assert read_report("REPORT RequestId: r-1\tDuration: 3000.00 ms\tStatus: timeout") == (
        "r-1",
        3000.0,
        True,
    )
    record = {"requestId": "r-1", "status": "error", "metrics": {"durationMs": 12.5}}
    assert read_report(json.dumps({"type": "platform.report", "record": record}, separators=(",", ":"))) == (
        "r-1",
        12.5,
        True,
    )


@pytest.mark.parametrize("line", ["", "hello", '{"type":"platform.report"}', '{"IngestLatency": 3', "[1]"])
def test_other_lines_are_neither(line: str) -> None:
    assert read_report(line) is None
    assert read_batch(line) is None
