from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.tools.ops.fakes import FakeLogs, pipeline
from tools.local import emulators
from tools.local.emulator import Emulator
from tools.ops.demo import stalls
from tools.ops.demo.stalls import StallWatch


class Watched:
    """A watch on a clock that only the test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.told = 0
        self.watch = StallWatch(self._tell, clock=lambda: self.now)

    def look(self, after: float, waiting: int) -> int:
        """Let time pass, look, and return how often it was said."""
        self.now += after
        self.watch.look(waiting)
        return self.told

    def _tell(self) -> None:
        self.told += 1


def test_twenty_seconds_without_progress_are_said_once() -> None:
    watched = Watched()
    assert [watched.look(after, 10) for after in (0, 19, 1, 60)] == [0, 0, 1, 1]


def test_a_queue_that_becomes_shorter_makes_progress() -> None:
    watched = Watched()
    assert [watched.look(15, waiting) for waiting in (10, 9, 8, 7)] == [0, 0, 0, 0]


def test_an_empty_queue_is_no_stall() -> None:
    watched = Watched()
    assert [watched.look(15, 0) for _ in range(4)] == [0, 0, 0, 0]


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


def test_what_the_function_logged_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    logged = [entry("ERROR", "bug"), entry("WARNING", "message rejected"), entry("INFO", "batch processed")]
    said = explained(monkeypatch, tmp_path, logged, "ERROR of the emulator")
    assert "ERROR   bug" in said
    assert "rejected" not in said
    assert "emulator" not in said


def test_where_the_function_logged_no_error_the_emulators_log_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log = "\n".join(
        ["INFO fine", "ERROR: Docker not available", "INFO [WARNING] slow", *(f"INFO {n}" for n in range(9))]
    )
    said = explained(monkeypatch, tmp_path, [entry("INFO", "batch processed")], log)
    assert said.splitlines()[1:] == ["  ERROR: Docker not available"]


def test_a_log_without_errors_is_told_by_its_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = explained(monkeypatch, tmp_path, [], "one\ntwo\nthree\nfour")
    assert said.splitlines()[1:] == ["  two", "  three", "  four"]


def test_without_any_log_the_way_to_one_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "make logs" in explained(monkeypatch, tmp_path, [], "")
