"""Find the live and previous versions, and move the alias."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.unit.tools.deploy.factories import refusal
from tools.core.errors import ToolError, UsageError
from tools.deploy import versions
from tools.deploy.versions import LiveVersion

RUNNING = LiveVersion("processor", "3", "revision")


class Functions:
    """A fake Lambda with a function, its versions and possibly an alias."""

    runtimes: Mapping[str, str] = {}

    def __init__(self, *existing: str, alias: str | None = None, moved: bool = False) -> None:
        self.existing = existing
        self.alias = alias
        self.moved = moved
        self.updates: list[dict[str, str]] = []

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        return [
            {"Versions": [{"Version": version, "Runtime": self.runtimes.get(version, "python3.14")}]}
            for version in ("$LATEST", *self.existing)
        ]

    def get_alias(self, **_: str) -> dict[str, str]:
        if self.alias is None:
            raise refusal("ResourceNotFoundException")
        return {"FunctionVersion": self.alias, "RevisionId": "revision"}

    def update_alias(self, **arguments: str) -> None:
        if self.moved:
            raise refusal("PreconditionFailedException")
        self.updates.append(arguments)


def test_the_previous_version_is_the_newest_older_one_that_still_exists() -> None:
    assert versions.before(Functions("1", "2", "3", "10"), RUNNING) == "2"
    assert versions.before(Functions("1", "3"), RUNNING) == "1"


def test_without_an_older_version_a_rollback_is_an_error() -> None:
    with pytest.raises(ToolError, match="no older version exists"):
        versions.before(Functions("3", "4"), RUNNING)


@pytest.mark.parametrize("version", ["9", "$LATEST", "3"])
def test_a_version_that_is_missing_or_live_is_refused(version: str) -> None:
    with pytest.raises(UsageError):
        versions.check(Functions("1", "2", "3"), RUNNING, version)


@pytest.mark.parametrize(
    ("live", "target", "loses"),
    [
        ("python3.14", "python3.13", True),
        ("python3.15", "python3.9", True),
        ("python3.14", "python3.14", False),
        ("python3.13", "python3.12", False),
        ("python3.13", "python3.14", False),
        ("python3.14", "", False),
    ],
)
def test_a_version_whose_runtime_cannot_read_zstd_is_known(live: str, target: str, loses: bool) -> None:
    functions = Functions("2", "3")
    functions.runtimes = {"3": live, "2": target}
    assert versions.loses_zstd(functions, RUNNING, "2") is loses


def test_the_alias_moves_only_from_the_revision_that_was_read() -> None:
    functions = Functions("1", "2", "3")
    versions.move(functions, RUNNING, "2")
    (update,) = functions.updates
    assert update == {
        "FunctionName": "processor",
        "Name": "live",
        "FunctionVersion": "2",
        "RevisionId": "revision",
    }


def test_an_alias_that_another_user_moved_is_not_changed() -> None:
    with pytest.raises(ToolError, match="Another user moved the alias"):
        versions.move(Functions("1", "2", "3", moved=True), RUNNING, "2")


def test_every_function_among_the_outputs_is_found_the_processor_first() -> None:
    outputs = {"archiver_function_name": "a", "function_name": "processor", "queue_url": "q"}
    assert versions.functions_of(outputs) == ["processor", "a"]


def test_a_function_without_the_alias_is_not_live() -> None:
    assert versions.live(Functions("1"), ["processor"]) == {}
    assert versions.live(Functions("1", alias="1"), ["processor"])["processor"].version == "1"
