from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.tools.ops.fakes import FakeLogs
from tools.core.errors import UsageError
from tools.core.time_range import seconds_of
from tools.ops.inspect import logs
from tools.ops.inspect.logs import Line, Tail, Wanted


def _line(message: str, millis: int = 0) -> Line:
    return Line.of({"timestamp": millis, "message": message})


def _entry(level: str = "INFO", message: str = "hello", **fields: Any) -> str:
    return json.dumps({"level": level, "message": message, **fields})


def _messages(tail: Tail) -> list[str]:
    return [line.message for line in tail.read()]


def test_our_own_lines_are_read_as_level_message_and_fields() -> None:
    line = _line(_entry("WARNING", "message returned", why="throttled", attempts=2), 45_296_789)
    assert line.render().plain == "12:34:56.789 WARNING message returned  why=throttled  attempts=2"


def test_metrics_show_what_happened_and_not_how_they_are_declared() -> None:
    line = _line(_entry(Received=10, Rejected=0, IngestLatency=[12, 80, 31], _aws={"CloudWatchMetrics": []}))
    assert line.render().plain.endswith("hello  Received=10  IngestLatency=12..80")


def test_a_traceback_stands_below_its_line() -> None:
    line = _line(_entry("ERROR", "bug", traceback="Traceback\n  File x\n", request_id="r-1"))
    assert line.render().plain.splitlines()[1:] == ["    Traceback", "      File x"]
    assert "request_id=r-1" in line.render().plain.splitlines()[0]


@pytest.mark.parametrize(
    ("raw", "level"),
    [
        ("REPORT RequestId: x\tDuration: 3 ms", ""),
        ("2026-11-23T01:00:00Z x Task timed out after 30.00 seconds", "ERROR"),
        ("[ERROR] Runtime.ImportModuleError: no module", "ERROR"),
        ("a plain print", "INFO"),
        ('{"json": "of somebody else"}', "INFO"),
        ("[1, 2]", "INFO"),
    ],
)
def test_lines_that_are_not_ours_get_the_level_that_they_deserve(raw: str, level: str) -> None:
    assert _line(raw).level == level


def test_a_terminal_cannot_be_commanded_by_what_is_logged() -> None:
    assert "\x1b" not in _line(_entry(message="\x1b[2J", why="\x1b]0;x\x07")).render().plain


def test_a_level_takes_that_level_and_graver_ones() -> None:
    wanted = Wanted(level="WARNING")
    taken = [level for level in logs.LEVELS if wanted.takes(_line(_entry(level)))]
    assert taken == ["WARNING", "ERROR", "CRITICAL"]
    assert not wanted.takes(_line("REPORT RequestId: x"))


def test_an_unknown_level_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError) as refused:
        Wanted(level="LOUD")
    assert "DEBUG, INFO, WARNING" in refused.value.hint


def test_an_event_is_found_wherever_a_line_names_it_and_its_namesakes_are_not() -> None:
    wanted = Wanted(event_id="evt-1")
    batch = [["evt-1", "m-1", "stored"], ["evt-10", "m-2", "stored"]]
    assert wanted.takes(_line(_entry(event_id="evt-1")))
    assert wanted.takes(_line(_entry(events=batch)))
    assert wanted.takes(_line("plain text about evt-1"))
    assert not wanted.takes(_line(_entry(event_id="evt-10")))
    shown = _line(_entry(events=batch)).render("evt-1").plain
    assert "m-1" in shown
    assert "m-2" not in shown


def test_only_simple_ids_are_filtered_by_cloudwatch() -> None:
    assert Wanted(event_id="evt-1").pattern == '"evt-1"'
    assert Wanted(event_id='evt "1"').pattern == ""
    assert Wanted().pattern == ""


def test_brackets_of_an_invocation_are_not_shown() -> None:
    assert not Wanted().takes(_line("START RequestId: x Version: 1"))
    assert not Wanted().takes(_line("END RequestId: x"))
    assert Wanted().takes(_line("REPORT RequestId: x"))


def test_each_line_is_read_once_also_when_it_comes_late() -> None:
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


def test_a_page_that_is_full_and_has_no_next_is_gone_on_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_PAGE", 2)
    group = FakeLogs()
    group.gives_tokens = False
    for number in range(7):
        group.write(number // 2, f"line {number}")
    assert _messages(Tail(group, "group", 0)) == [f"line {number}" for number in range(7)]


def test_a_function_that_has_never_run_has_no_lines() -> None:
    group = FakeLogs()
    group.exists = False
    assert _messages(Tail(group, "group", 0)) == []


def test_durations_are_read_and_others_refused() -> None:
    assert [seconds_of(text) for text in ("90s", "15m", "1h", "2d")] == [90, 900, 3600, 172_800]
    with pytest.raises(UsageError, match="SINCE=1w"):
        seconds_of("1w")
