"""Tests of the switches of commands, which are variables of make."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tools.core.errors import UsageError, is_on
from tools.core.paths import ROOT


@pytest.mark.parametrize(
    ("given", "on"), [({"JSON": "1"}, True), ({"JSON": "0"}, False), ({"JSON": ""}, False)]
)
def test_a_switch_is_one_or_zero(given: dict[str, str], on: bool) -> None:
    assert is_on(given, "JSON") is on
    assert not is_on({}, "JSON")


@pytest.mark.parametrize("value", ["yes", "true", "2", " 1", "\uff11"])
def test_another_value_is_refused_by_name(value: str) -> None:
    with pytest.raises(UsageError, match=f"JSON={value} is neither 1 nor 0"):
        is_on({"JSON": value}, "JSON")


@pytest.mark.parametrize(
    "command",
    [
        "tools.local status",
        "tools.local doctor",
        "tools.benchmarks.cost",
        "dashboards",
    ],
)
def test_a_command_with_another_value_ends_before_it_does_anything(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command.split()],
        cwd=ROOT,
        env=os.environ | {"JSON": "yes", "Q": "select 1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("JSON=yes is neither 1 nor 0.")
