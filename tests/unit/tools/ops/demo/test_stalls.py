from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.tools.fakes import FakeLogs, pipeline
from tools.local import emulators
from tools.local.emulator import Emulator
from tools.ops.demo import stalls
from tools.ops.demo.stalls import StallWatch


class Harness:
    """A stall watch with a clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.reports = 0
        self.watch = StallWatch(self._report, clock=lambda: self.now)

    def update(self, after: float, depth: int) -> int:
        """Let time pass, update the watch, and return the number of reports."""
        self.now += after
        self.watch.update(depth)
        return self.reports

    def _report(self) -> None:
        self.reports += 1


def test_twenty_seconds_without_progress_are_reported_once() -> None:
    harness = Harness()
    assert [harness.update(after, 10) for after in (0, 19, 1, 60)] == [0, 0, 1, 1]


def test_a_queue_that_becomes_shorter_is_not_a_stall() -> None:
    harness = Harness()
    assert [harness.update(15, depth) for depth in (10, 9, 8, 7)] == [0, 0, 0, 0]


def test_an_empty_queue_is_not_a_stall() -> None:
    harness = Harness()
    assert [harness.update(15, 0) for _ in range(4)] == [0, 0, 0, 0]


def entry(level: str, message: str) -> str:
    return json.dumps({"level": level, "message": message})


def explained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, logged: list[str], emulator: str) -> str:
    logs = FakeLogs()
    for message in logged:
        logs.write(1, message)
    resources = replace(pipeline(endpoint="http://127.0.0.1:1", logs=logs), state_dir=tmp_path)
    Emulator("localstack", "http://127.0.0.1:1", 1, "name", "mark").save(tmp_path)
    monkeypatch.setattr(emulators, "last_lines", lambda *_: emulator)
    return stalls.explain(resources, since=0)


def test_the_functions_errors_are_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    logged = [entry("ERROR", "bug"), entry("WARNING", "message rejected"), entry("INFO", "batch processed")]
    reported = explained(monkeypatch, tmp_path, logged, "ERROR of the emulator")
    assert "ERROR    bug" in reported
    assert "rejected" not in reported
    assert "emulator" not in reported


def test_without_errors_of_the_function_the_emulators_errors_are_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log = "\n".join(["INFO fine", "ERROR: Docker not available", *(f"INFO {n}" for n in range(9))])
    reported = explained(monkeypatch, tmp_path, [entry("INFO", "batch processed")], log)
    assert reported.splitlines()[1:] == ["  ERROR: Docker not available"]


def test_without_any_error_the_end_of_the_emulators_log_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    reported = explained(monkeypatch, tmp_path, [], "one\ntwo\nthree\nfour")
    assert reported.splitlines()[1:] == ["  two", "  three", "  four"]


def test_without_any_log_the_command_for_logs_is_suggested(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert "make logs" in explained(monkeypatch, tmp_path, [], "")
