"""CI jobs only call make, and contain no keys. (make lint runs actionlint.)"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import logs
from tools.core.paths import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAKE = re.compile(r"make (?P<target>[a-z-]+)( [A-Z_]+=[\w./-]+)*")
TARGETS = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
EACH = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    """Return the jobs of a workflow by name."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text())["jobs"]
    return found


def test_the_workflows_that_readme_names_exist() -> None:
    assert [path.stem for path in WORKFLOWS] == ["deploy", "nightly", "plan", "providers", "test"]


@EACH
def test_a_job_runs_make_and_nothing_else(path: Path) -> None:
    commands = [step["run"] for job in jobs(path).values() for step in job["steps"] if "run" in step]
    assert commands
    for command in commands:
        called = MAKE.fullmatch(command)
        assert called, command
        assert called["target"] in TARGETS


@EACH
def test_a_job_has_a_timeout_and_least_permissions(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text())
    assert all(job["timeout-minutes"] <= 120 for job in workflow["jobs"].values())
    assert workflow["permissions"] == {"contents": "read"}
    tokens = {name for name, job in workflow["jobs"].items() if "id-token" in job.get("permissions", {})}
    assert tokens == {name for name in workflow["jobs"] if name in ("plan", "deploy")}


def test_only_the_job_that_proposes_a_provider_may_write() -> None:
    writing = {
        (path.stem, name): {right for right, what in job["permissions"].items() if what == "write"}
        for path in WORKFLOWS
        for name, job in jobs(path).items()
        if {"write"} & set(job.get("permissions", {}).values())
    }
    assert writing.pop(("providers", "lock")) == {"contents", "pull-requests"}
    assert set(map(frozenset, writing.values())) == {frozenset({"id-token"})}


@EACH
def test_no_aws_key_is_stored(path: Path) -> None:
    assert set(re.findall(r"secrets\.\w+", path.read_text())) <= {"secrets.LOCALSTACK_AUTH_TOKEN"}


@EACH
def test_an_action_is_pinned_by_its_commit_with_its_version_as_a_comment(path: Path) -> None:
    used = re.findall(r"uses: (.*)", path.read_text())
    assert used
    for action in used:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


@pytest.mark.parametrize(("job", "version"), [("localstack", None), ("localstack-newest", "latest")])
def test_the_logs_of_a_localstack_on_which_tests_failed_are_kept(job: str, version: str | None) -> None:
    described = jobs(ROOT / ".github" / "workflows" / "test.yml")[job]
    assert described.get("env", {}).get("LOCALSTACK_VERSION") == version
    *before, last = described["steps"]
    assert before[-1]["run"] == "make test TARGET=localstack ARGS=-rs"
    assert (last["if"], ROOT / last["with"]["path"]) == ("failure()", logs.DIRECTORY)
    if version:
        assert {step["if"] for step in before} == {"env.LOCALSTACK_AUTH_TOKEN != ''"}


def test_pinned_packages_are_tested_in_their_newest_version_every_night() -> None:
    drift = jobs(ROOT / ".github" / "workflows" / "nightly.yml")["drift"]
    commands = [step["run"] for step in drift["steps"] if "run" in step]
    assert commands == [
        "make lock UPGRADE=unpinned",
        "make lock PROVIDER=1",
        "make test TARGET=ministack ARGS=tests/integration",
    ]


def test_every_python_of_the_readme_is_tested_on_linux_and_macos() -> None:
    matrix = jobs(ROOT / ".github" / "workflows" / "test.yml")["embedded"]["strategy"]["matrix"]
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert matrix["os"] == ["ubuntu-latest", "macos-latest"]


def test_a_deploy_job_tests_before_it_deploys() -> None:
    steps = jobs(ROOT / ".github" / "workflows" / "deploy.yml")["deploy"]["steps"]
    commands = [step["run"].split()[1] for step in steps if "run" in step]
    assert commands == ["test", "deploy-aws"]
