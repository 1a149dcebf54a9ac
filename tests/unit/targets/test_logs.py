"""Keep the logs of a failed run before the stack is destroyed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from tests import logs


class Logs:
    """A fake of CloudWatch Logs and of its stack's state."""

    name = "rt-x-local"

    def __init__(self, *, answers: bool = True) -> None:
        self.answers = answers

    def client(self, _service: str) -> Any:
        """Return this object as the client."""
        return self

    def get_paginator(self, operation: str) -> Any:
        """Return one page of groups or lines."""
        if not self.answers:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
        groups = [{"logGroupName": "/aws/lambda/rt-x-local-processor"}]
        pages = {
            "describe_log_groups": [{"logGroups": groups}],
            "filter_log_events": [{"events": [{"message": "one\n"}]}, {"events": [{"message": "two"}]}],
        }
        return SimpleNamespace(paginate=lambda **_: pages[operation])


@pytest.fixture
def directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(logs, "DIRECTORY", tmp_path / "logs")
    return tmp_path / "logs"


def session(failed: int) -> Any:
    return SimpleNamespace(testsfailed=failed)


def use_stack(state: Any, session: Any, *, fails: bool = False) -> None:
    with logs.kept_where_a_test_fails(state, session):
        assert not fails, "a test"


def test_a_run_without_a_failure_keeps_no_logs(directory: Path) -> None:
    use_stack(Logs(), session(0))
    assert not directory.exists()


def test_after_a_failure_the_lines_of_every_function_are_kept(directory: Path) -> None:
    use_stack(Logs(), session(1))
    assert (directory / "rt-x-local-processor.log").read_text() == "one\ntwo\n"


def test_logs_are_kept_if_the_failure_ends_the_stack(directory: Path) -> None:
    with pytest.raises(AssertionError, match="a test"):
        use_stack(Logs(), session(0), fails=True)
    assert (directory / "rt-x-local-processor.log").exists()


def test_a_stopped_emulator_does_not_hide_the_failure(directory: Path) -> None:
    with pytest.raises(AssertionError, match="a test"):
        use_stack(Logs(answers=False), session(0), fails=True)
    assert "cannot be read" in (directory / "rt-x-local.log").read_text()
