from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.tools.fakes import FakeLogs
from tools.core import log_events
from tools.core.console import Clock, out
from tools.core.errors import UsageError
from tools.ops.inspect import logs
from tools.ops.inspect.logs import Line, LogFilter, Tail


def _line(message: str, millis: int = 0) -> Line:
    return Line.from_event({"timestamp": millis, "message": message})


def _printed(line: Line, event_id: str | None = None) -> str:
    """Return what is printed of a line without the day above it, its parts on one line."""
    with pytest.MonkeyPatch.context() as patch, out.capture() as captured:
        patch.setattr(out, "_width", 1000)
        line.show(Clock(), event_id)
    return captured.get().split("\n", 1)[1].removesuffix("\n")


def _entry(level: str = "INFO", message: str = "hello", **fields: Any) -> str:
    return json.dumps({"level": level, "message": message, **fields})


def _messages(tail: Tail) -> list[str]:
    return [line.message for line in tail.read()]


def test_the_functions_json_lines_have_level_message_and_fields() -> None:
    line = _line(_entry("WARNING", "message returned", why="throttled", attempts=2), 45_296_789)
    assert _printed(line) == "12:34:56.789  WARNING  message returned  why=throttled  attempts=2"


def test_metrics_are_rendered_without_their_declaration() -> None:
    line = _line(_entry(Received=10, Rejected=0, IngestLatency=[12, 80, 31], _aws={"CloudWatchMetrics": []}))
    assert _printed(line).endswith("hello  Received=10  IngestLatency=12..80")


def test_a_traceback_is_rendered_below_its_line() -> None:
    line = _line(_entry("ERROR", "bug", traceback="Traceback\n  File x\n", request_id="r-1"))
    assert _printed(line).splitlines()[1:] == ["    Traceback", "      File x"]
    assert "request_id=r-1" in _printed(line).splitlines()[0]


@pytest.mark.parametrize(
    ("raw", "level"),
    [
        ("REPORT RequestId: x\tDuration: 3 ms", ""),
        ("2026-11-23T01:00:00Z x Task timed out after 30.00 seconds", "ERROR"),
        ("[ERROR] Runtime.ImportModuleError: no module", "ERROR"),
        ("a plain print", "INFO"),
        ('{"json": "of another program"}', "INFO"),
        ("[1, 2]", "INFO"),
    ],
)
def test_other_lines_get_a_level_from_their_text(raw: str, level: str) -> None:
    assert _line(raw).level == level


REPORTED = {"requestId": "r-1", "metrics": {"durationMs": 30000.0, "maxMemoryUsedMB": 60}}
UNHANDLED = {
    "timestamp": "2026-11-23T01:00:00Z",
    "log_level": "ERROR",
    "errorMessage": "No module named 'x'",
    "errorType": "Runtime.ImportModuleError",
    "requestId": "r-1",
    "stackTrace": ["  File one\n", "  File two\n"],
}


@pytest.mark.parametrize(
    ("entry", "level"),
    [
        (UNHANDLED, "ERROR"),
        ({"errorType": "KeyError", "errorMessage": ""}, "ERROR"),
        ({"errorType": "Runtime.ExitError"}, "ERROR"),
        ({"log_level": "WARN", "message": "m"}, "WARNING"),
        ({"level": "FATAL", "message": "m"}, "CRITICAL"),
        ({"type": "platform.report", "record": {**REPORTED, "status": "success"}}, ""),
        ({"type": "platform.report", "record": {**REPORTED, "status": "timeout"}}, "ERROR"),
        ({"type": "platform.report", "record": {**REPORTED, "status": "error"}}, "ERROR"),
        ({"type": "platform.report", "record": {**REPORTED, "status": "failure"}}, "ERROR"),
        ({"type": "platform.runtimeDone", "record": {"status": "error", "errorType": "X"}}, "ERROR"),
        ({"type": "platform.initReport", "record": {"status": "error"}}, "ERROR"),
        ({"type": "platform.fault", "record": "RequestId: x Error: Runtime exited"}, "ERROR"),
        ({"type": "platform.start", "record": {"requestId": "r-1"}}, ""),
        ({"type": "platform.report", "record": None}, ""),
    ],
    ids=str,
)
def test_lines_that_lambda_itself_logs_in_json_have_a_level(entry: dict[str, Any], level: str) -> None:
    line = _line(json.dumps(entry))
    assert line.level == level
    assert LogFilter(level="ERROR").matches(line) is (level in ("ERROR", "CRITICAL"))


def test_an_unhandled_exception_is_rendered_with_its_type_and_its_trace() -> None:
    first, *trace = _printed(_line(json.dumps(UNHANDLED))).splitlines()
    assert "No module named 'x'" in first
    assert "errorType=Runtime.ImportModuleError" in first
    assert trace == ["      File one", "      File two"]


def test_a_report_in_json_shows_its_status_and_its_figures() -> None:
    record = {**REPORTED, "status": "timeout", "spans": [{"name": "x"}]}
    text = _printed(_line(json.dumps({"type": "platform.report", "record": record})))
    assert text.endswith(
        "platform.report  requestId=r-1  status=timeout  durationMs=30000.0  maxMemoryUsedMB=60"
    )


@pytest.mark.parametrize("kind", ["start", "runtimeDone"])
def test_json_lines_that_the_report_repeats_are_not_rendered(kind: str) -> None:
    entry = {"type": f"platform.{kind}", "record": {"requestId": "r-1", "status": "success"}}
    assert not LogFilter().matches(_line(json.dumps(entry)))


def test_control_characters_in_a_log_line_are_escaped() -> None:
    assert "\x1b" not in _printed(_line(_entry(message="\x1b[2J", why="\x1b]0;x\x07")))


def test_a_level_matches_that_level_and_higher_ones() -> None:
    criteria = LogFilter(level="WARNING")
    matching = [level for level in logs.LEVELS if criteria.matches(_line(_entry(level)))]
    assert matching == ["WARNING", "ERROR", "CRITICAL"]
    assert not criteria.matches(_line("REPORT RequestId: x"))


def test_an_unknown_level_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as refused:
        LogFilter(level="LOUD")
    assert "DEBUG, INFO, WARNING" in refused.value.hint


def test_lines_that_contain_the_exact_event_id_match() -> None:
    criteria = LogFilter(event_id="evt-1")
    batch = [["evt-1", "m-1", "stored"], ["evt-10", "m-2", "stored"]]
    assert criteria.matches(_line(_entry(event_id="evt-1")))
    assert criteria.matches(_line(_entry(events=batch)))
    assert criteria.matches(_line("plain text about evt-1"))
    assert not criteria.matches(_line(_entry(event_id="evt-10")))
    rendered = _printed(_line(_entry(events=batch)), "evt-1")
    assert "m-1" in rendered
    assert "m-2" not in rendered


def test_only_simple_ids_are_filtered_by_cloudwatch() -> None:
    assert LogFilter(event_id="evt-1").pattern == '"evt-1"'
    assert LogFilter(event_id='evt "1"').pattern == ""
    assert LogFilter().pattern == ""


def test_start_and_end_lines_are_not_rendered() -> None:
    assert not LogFilter().matches(_line("START RequestId: x Version: 1"))
    assert not LogFilter().matches(_line("END RequestId: x"))
    assert LogFilter().matches(_line("REPORT RequestId: x"))


def test_each_line_is_read_once_even_if_it_is_late() -> None:
    group = FakeLogs()
    tail = Tail(group, "group", 0)
    group.write(20_000, "second")
    assert _messages(tail) == ["second"]
    group.write(15_000, "first, but late", stream="two")
    group.write(21_000, "third")
    assert _messages(tail) == ["first, but late", "third"]
    assert _messages(tail) == []


def test_equal_lines_of_one_millisecond_are_all_read() -> None:
    group = FakeLogs()
    for _ in range(3):
        group.write(1, "same")
    tail = Tail(group, "group", 0)
    assert _messages(tail) == ["same"] * 3
    assert _messages(tail) == []


def test_reading_continues_after_a_full_page_without_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_events, "_PAGE", 2)
    group = FakeLogs()
    group.gives_tokens = False
    for number in range(7):
        group.write(number // 2, f"line {number}")
    assert _messages(Tail(group, "group", 0)) == [f"line {number}" for number in range(7)]


def test_a_function_that_has_never_run_has_no_lines() -> None:
    group = FakeLogs()
    group.exists = False
    assert _messages(Tail(group, "group", 0)) == []


def test_a_line_as_json_has_its_time_its_level_and_its_fields_in_ascii() -> None:
    line = _line(_entry("WARNING", "r\u00fcckgabe", why="\x1b[2J"), 45_296_789)
    assert line.to_json().isascii()
    assert json.loads(line.to_json()) == {
        "at": "1970-01-01T12:34:56.789Z",
        "level": "WARNING",
        "message": "r\u00fcckgabe",
        "fields": {"why": "\x1b[2J"},
    }


def test_a_line_that_is_too_wide_breaks_before_a_field() -> None:
    with out.capture() as captured:
        _line(_entry("ERROR", "m" * 40, why="y" * 30)).show(Clock())
    _, first, second = captured.get().splitlines()
    assert first.endswith("m")
    assert second == "    why=" + "y" * 30
