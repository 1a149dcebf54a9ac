from __future__ import annotations

import json
import time
from typing import Any

import pytest

from dashboards.collect.log_group import LogGroup
from dashboards.collect.log_lines import parse_batch_line, parse_report_line
from dashboards.state import Activity
from dashboards.values import Absent
from processor.report import report
from tests.fakes import client_error
from tests.unit.dashboards.builders import NOW
from tests.unit.dashboards.fakes import FakeClient, raising, target


class FakeLogGroup:
    """A log group with one stream per invocation, as in MiniStack."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def write(self, stream: str, at: float, *messages: str) -> None:
        self.events += [
            {"logStreamName": stream, "timestamp": int(at * 1000), "message": message} for message in messages
        ]
        self.events.sort(key=lambda event: event["timestamp"])

    def invoke(self, request: str, at: float, *lines: str, milliseconds: int = 100) -> None:
        """Write the lines of an invocation that ended at a time."""
        started, ended = f"START RequestId: {request} Version: $LATEST", f"END RequestId: {request}"
        reported = f"REPORT RequestId: {request}\tDuration: {milliseconds} ms\tBilled Duration: 1 ms"
        self.write(request, at, started, *lines, ended, reported)

    def filter_log_events(self, startTime: int, **_: Any) -> Any:  # noqa: N803
        return {"events": [event for event in self.events if event["timestamp"] >= startTime]}


def batch(request: str, **counts: Any) -> str:
    """Build the line that the function logs for a batch."""
    return json.dumps({"message": "batch processed", "request_id": request, **counts})


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr(time, "time", lambda: NOW)
    return NOW


def collector(log: FakeLogGroup) -> LogGroup:
    return LogGroup(target(logs=FakeClient(filter_log_events=log.filter_log_events)), 2)


def collect(log: FakeLogGroup) -> Activity:
    result: Activity = collector(log).collect().value
    return result


def test_rates_are_means_of_the_last_ten_seconds(now: float) -> None:
    log = FakeLogGroup()
    log.invoke("a", now - 60, batch("a", Received=900, Stored=900))
    log.invoke("b", now - 5, batch("b", Received=40, Stored=30, Duplicates=6, Rejected=4))
    activity = collect(log)
    assert (activity.received, activity.stored, activity.duplicates, activity.rejected) == (
        4.0,
        3.0,
        0.6,
        0.4,
    )
    assert activity.invocations == 0.1


def test_messages_that_return_to_the_queue_are_not_counted_as_deleted(now: float) -> None:
    log = FakeLogGroup()
    log.invoke("a", now - 5, batch("a", Received=60, Stored=10, Redelivered=20, Returned=30))
    assert collect(log).deleted == 3.0


def test_an_empty_log_group_means_that_nothing_happened(now: float) -> None:
    activity = collect(FakeLogGroup())
    assert (activity.received, activity.invocations, activity.errors) == (0.0, 0.0, 0.0)


def test_values_that_no_line_reports_are_absent(now: float) -> None:
    activity = collect(FakeLogGroup())
    assert activity.throttles == Absent("not logged")
    assert activity.write_units == activity.read_units == activity.table_throttles == Absent("no metrics")
    assert activity.latency_p50 == Absent("nothing stored in 60 s")
    assert activity.duration_p95 == Absent("no run in 60 s")


def test_latencies_and_durations_cover_the_last_minute(now: float) -> None:
    log = FakeLogGroup()
    log.invoke("old", now - 70, batch("old", IngestLatency=[99_000]), milliseconds=99_000)
    log.invoke("a", now - 9, batch("a", IngestLatency=list(range(1, 101)), QueueLatency=[7]), milliseconds=10)
    log.invoke("b", now - 8, batch("b"), milliseconds=30)
    activity = collect(log)
    assert (activity.latency_p50, activity.latency_p95, activity.queued_p95) == (50.0, 95.0, 7.0)
    assert (activity.duration_p50, activity.duration_p95) == (10.0, 30.0)


def test_events_are_counted_by_type(now: float) -> None:
    log = FakeLogGroup()
    log.invoke("a", now - 500, batch("a", StoredOrder=3, StoredPayment=2))
    log.invoke("b", now - 5, batch("b", StoredOrder=4, StoredActivity=1))
    assert collect(log).by_type == {"order": 7.0, "payment": 2.0, "activity": 1.0}


def test_concurrency_is_the_most_invocations_that_overlap(now: float) -> None:
    log = FakeLogGroup()
    log.invoke("a", now - 5.0, batch("a"), milliseconds=1000)
    log.invoke("b", now - 4.5, batch("b"), milliseconds=1000)
    log.invoke("c", now - 3.0, batch("c"), milliseconds=1000)
    assert collect(log).concurrency == 2.0


def test_a_line_read_twice_counts_once(now: float) -> None:
    log = FakeLogGroup()
    log.invoke("a", now - 5, batch("a", Received=10))
    follower = collector(log)
    follower.collect()
    log.invoke("b", now - 4, batch("b", Received=10))
    assert follower.collect().value.received == 2.0


def test_only_the_end_of_the_log_is_read_again(now: float) -> None:
    log = FakeLogGroup()
    log.invoke("a", now - 500, batch("a"))
    log.invoke("b", now - 5, batch("b"))
    logs = FakeClient(filter_log_events=log.filter_log_events)
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
def test_an_invocation_that_logs_an_exception_or_a_timeout_is_an_error(now: float, line: str) -> None:
    log = FakeLogGroup()
    log.invoke("a", now - 50, line)
    log.invoke("b", now - 40, batch("b"))
    activity = collect(log)
    assert (activity.errors, activity.silent) == (1.0, 0.0)


def test_an_invocation_that_logs_nothing_is_counted_as_silent(now: float) -> None:
    log = FakeLogGroup()
    log.invoke("a", now - 50)
    activity = collect(log)
    assert (activity.errors, activity.silent) == (0.0, 1.0)


def test_an_invocation_is_not_silent_if_its_line_comes_late_with_those_of_another(now: float) -> None:
    log = FakeLogGroup()
    log.invoke("a", now - 50)
    follower = collector(log)
    follower.collect()
    log.invoke("b", now - 3, batch("a", Received=10), batch("b", Received=10))
    activity = follower.collect().value
    assert (activity.silent, activity.received) == (0.0, 2.0)


def test_a_log_group_that_does_not_exist_is_an_error() -> None:
    missing = client_error("FilterLogEvents", "ResourceNotFoundException")
    follower = LogGroup(target(logs=FakeClient(filter_log_events=raising(missing))), 2)
    with pytest.raises(type(missing)):
        follower.collect()


def test_the_line_that_the_function_logs_is_parsed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from datetime import UTC, datetime

    report([], ["unread-1"], "request-1", datetime.now(UTC), datetime.now(UTC))
    fields = parse_batch_line(capsys.readouterr().out)
    assert fields is not None
    assert fields["request_id"] == "request-1"
    for name in (
        "Received",
        "Stored",
        "Duplicates",
        "Rejected",
        "Redelivered",
        "StoredOrder",
    ):
        assert name in fields
    # Nothing was stored, so there is no latency: CloudWatch refuses an empty list of values.
    (directive,) = fields["_aws"]["CloudWatchMetrics"]
    assert "IngestLatency" not in [metric["Name"] for metric in directive["Metrics"]]
    assert "IngestLatency" not in fields


def test_report_lines_are_parsed_as_text_and_as_json() -> None:
    assert parse_report_line("REPORT RequestId: r-1\tDuration: 12.5 ms\tBilled Duration: 13 ms") == (
        "r-1",
        12.5,
        False,
    )
    assert parse_report_line("REPORT RequestId: r-1\tDuration: 3000.00 ms\tStatus: timeout") == (
        "r-1",
        3000.0,
        True,
    )
    record = {"requestId": "r-1", "status": "error", "metrics": {"durationMs": 12.5}}
    assert parse_report_line(
        json.dumps({"type": "platform.report", "record": record}, separators=(",", ":"))
    ) == (
        "r-1",
        12.5,
        True,
    )


@pytest.mark.parametrize("line", ["", "hello", '{"type":"platform.report"}', '{"IngestLatency": 3', "[1]"])
def test_other_lines_are_ignored(line: str) -> None:
    assert parse_report_line(line) is None
    assert parse_batch_line(line) is None
