"""A misspelt variable on make's command line is an error. The registry is each target's line of help."""

from __future__ import annotations

import argparse
import inspect
import os
import re
import subprocess

import pytest

from dashboards import top
from tools.analytics import __main__ as analytics
from tools.benchmarks.cost import __main__ as cost
from tools.core.errors import UsageError
from tools.core.paths import ROOT
from tools.core.variables import check, variables
from tools.ops.__main__ import parser

# What a function reads from its environment.
READ = re.compile(r'(?:environment\.get\(|is_on\(environment, )"(\w+)"\)')
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
KNOWN = variables(MAKEFILE)
OPS: dict[str, argparse.ArgumentParser] = next(
    action.choices for action in parser({})._actions if isinstance(action, argparse._SubParsersAction)
)


def problem(*given: str, goals: str = "events") -> UsageError:
    with pytest.raises(UsageError) as refused:
        check(given, goals.split(), MAKEFILE)
    return refused.value


@pytest.mark.parametrize("target", sorted(OPS))
def test_the_help_of_a_target_names_exactly_the_options_of_its_command(target: str) -> None:
    options = {action.dest.upper() for action in OPS[target]._actions} - {"HELP"}
    assert set(KNOWN[target]) - set(KNOWN["up"] if target == "demo" else ()) == options


@pytest.mark.parametrize(
    ("target", "function"),
    [
        ("query", (analytics.run_query, analytics._open_selected)),
        ("report", (analytics.write_report, analytics._open_selected)),
        ("cost", (cost.main, cost._workload)),
    ],
)
def test_the_help_names_what_a_command_reads_from_its_environment(
    target: str, function: tuple[object, ...]
) -> None:
    source = "".join(inspect.getsource(each) for each in function)  # type: ignore[arg-type]
    read = set(READ.findall(source))
    assert set(KNOWN[target]) == read | (set(cost._FIELDS) if target == "cost" else set())


def test_the_help_names_what_top_reads_from_its_environment() -> None:
    read = set(READ.findall(inspect.getsource(top.build_parser)))
    assert set(KNOWN["top"]) == read | {"ARGS"}


def test_a_misspelt_variable_is_an_error_with_the_nearest_name() -> None:
    refused = problem("CUSTMER")
    assert str(refused) == "make events has no variable CUSTMER. Did you mean CUSTOMER?"
    assert refused.hint.startswith("It has CUSTOMER, TYPE, LARGE, SINCE, LIMIT, JSON.")
    assert "Did you mean CUSTOMER?" in str(problem("customer"))


@pytest.mark.parametrize(("name", "target"), [("ARGS", "events"), ("EMULATOR", "status"), ("Z;z", "clean")])
def test_what_a_target_does_not_have_is_an_error_without_a_guess(name: str, target: str) -> None:
    assert str(problem(name, goals=target)) == f"make {target} has no variable {name}."


@pytest.mark.parametrize(
    ("given", "goals"),
    [
        ("CUSTOMER JSON", "events"),
        ("EMULATOR PORT", "down up"),
        ("PORT COUNT", "demo"),
        ("PICTURE", "docs"),
        ("AWS_PROFILE STACK_DIR QUEUE_URL PYTHON NO_COLOR TF_LOG TOOLS", "events"),
        ("ARGS TARGET ENDPOINT FUZZ_SEED", "test"),
        ("ANYTHING", ""),
        ("ANYTHING", "events a-target-of-another-file"),
    ],
)
def test_a_variable_of_any_of_the_targets_or_of_another_program_is_accepted(given: str, goals: str) -> None:
    check(given.split(), goals.split(), MAKEFILE)


def _make(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_make_refuses_before_any_target_runs() -> None:
    done = _make("down", "events", "CUSTMER=x", STACK_DIR="/nonexistent")
    assert done.returncode == 2
    assert "make down events has no variable CUSTMER. Did you mean CUSTOMER?" in done.stderr
    assert done.stdout == ""


def test_a_variable_of_the_environment_is_no_error() -> None:
    done = _make("down", CUSTMER="x", STACK_DIR="/nonexistent")
    assert (done.returncode, done.stdout) == (0, "nothing to remove: no stack is up\n")


def test_make_help_fits_a_terminal_and_names_the_variables() -> None:
    printed = _make("help").stdout
    assert "CUSTOMER=...  TYPE=order  LARGE=1" in printed
    assert not [line for line in printed.splitlines() if len(line) > 80]
