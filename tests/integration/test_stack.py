"""The local stack: the first apply, an apply without changes, and complete removal."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import verified
from tests.integration.conftest import Pipeline, free_port
from tools.core.paths import ARCHIVER_ZIP, LAMBDA_SOURCE, LAMBDA_ZIP, ROOT
from tools.core.state import StackState
from tools.deploy import plan as plans
from tools.local import alarms, lifecycle, processes, shortcut, terraform, tflocal, toolchain
from tools.local.build import ARTIFACTS, Artifact
from tools.local.emulator import Emulator

# With the modules to import: the handler, and the module for large payloads.
ZIPS = [(LAMBDA_ZIP, "processor.handler, common.s3"), (ARCHIVER_ZIP, "archiver.handler")]


def test_what_a_run_in_an_account_reports_is_read_from_its_stack(pipeline: Pipeline) -> None:
    facts = verified.facts(pipeline)
    assert facts["region"] == pipeline.state.region
    assert facts["runtime"].startswith("python3.")
    assert facts["rows"].isdecimal()


def test_a_second_up_changes_nothing(pipeline: Pipeline) -> None:
    output: list[str] = []
    shortcut.forget(pipeline.state_dir)
    pipeline.target.up(pipeline.state_dir, pipeline.variables, output.append)
    assert_nothing_changed(pipeline.state_dir, pipeline.state, pipeline.variables, "\n".join(output))


def assert_nothing_changed(
    state_dir: Path, state: StackState, variables: Mapping[str, object], report: str
) -> None:
    """Check the report of an apply by Terraform."""
    if "0 added, 0 changed, 0 destroyed" in report:
        return
    # A current provider updates MiniStack's alarms again, although they equal the config.
    plan = planned(state_dir, state, variables)
    misread = alarms.misread(plan, state.client("cloudwatch"))
    assert misread
    assert f"0 added, {len(misread)} changed, 0 destroyed" in report
    assert {change.address for change in plans.changes(plan)} == misread


def planned(state_dir: Path, state: StackState, variables: Mapping[str, object]) -> dict[str, Any]:
    """Return Terraform's plan for the stack, with a current provider."""
    workdir, program = terraform.workdir(state_dir), toolchain.find_terraform()
    environment = tflocal.environment(state.endpoint, state.region, program, state.access_key)
    arguments = terraform._arguments(variables)
    tflocal.run(
        workdir, environment, state_dir / terraform.LOG, print, "plan", "-out=again.tfplan", *arguments
    )
    show = [program.command, "show", "-json", "again.tfplan"]
    done = subprocess.run(show, cwd=workdir, env=environment, capture_output=True, check=True)
    plan: dict[str, Any] = json.loads(done.stdout)
    return plan


def test_terraform_finds_the_config_valid(pipeline: Pipeline) -> None:
    done = subprocess.run(
        [toolchain.find_terraform().command, "validate", "-no-color"],
        cwd=pipeline.state_dir / "terraform",
        env={**os.environ, "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@dataclass
class OwnStack:
    """A stack of these tests alone, whose function has the code in ``source``."""

    state_dir: Path
    source: Path
    port: int

    def up(self) -> tuple[StackState, str]:
        """Bring it up, and return its state and the report."""
        lines: list[str] = []
        return lifecycle.up(self.state_dir, self.port, "ministack", log=lines.append), "\n".join(lines)


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnStack]:
    directory = tmp_path_factory.mktemp("own")
    source = shutil.copytree(LAMBDA_SOURCE, directory / "lambda_src")
    packages = {name: source / name for name in ARTIFACTS["lambda_zip"].packages}
    stack = OwnStack(directory / "stack", source, free_port())
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(ARTIFACTS, "lambda_zip", Artifact(directory / "lambda.zip", packages))
        stack.up()
        yield stack
        lifecycle.down(stack.state_dir)


def test_changed_code_runs_without_terraform_which_then_finds_nothing_to_change(own_stack: OwnStack) -> None:
    handler = own_stack.source / "processor" / "handler.py"
    handler.write_text(f'{handler.read_text()}\n\ndef handle(event, context):\n    return "the new code"\n')
    state, report = own_stack.up()
    assert "the new code as version 2; Terraform was not started" in report
    live = {"FunctionName": state.outputs["function_name"], "Qualifier": "live"}
    assert json.loads(state.client("lambda").invoke(**live)["Payload"].read()) == "the new code"
    assert "nothing changed since the last make up" in own_stack.up()[1]
    shortcut.forget(own_stack.state_dir)
    state, report = own_stack.up()
    assert_nothing_changed(own_stack.state_dir, state, {}, report)


def test_a_change_by_hand_is_noticed_and_undone(own_stack: OwnStack) -> None:
    state, _ = own_stack.up()
    queue = {"QueueUrl": state.outputs["queue_url"]}
    state.client("sqs").set_queue_attributes(**queue, Attributes={"DelaySeconds": "9"})
    assert " changed, 0 destroyed" in own_stack.up()[1]
    answer = state.client("sqs").get_queue_attributes(**queue, AttributeNames=["DelaySeconds"])
    assert answer["Attributes"] == {"DelaySeconds": "0"}


def test_down_leaves_nothing_behind(own_stack: OwnStack) -> None:
    state_dir = own_stack.state_dir
    emulator = Emulator.load(state_dir)
    assert emulator is not None
    marks = {pid: processes.start_mark(pid) or "" for pid in processes.group_members(int(emulator.name))}
    assert processes.alive(marks)
    assert lifecycle.down(state_dir)
    assert not state_dir.exists()
    assert processes.alive(marks) == []
    assert processes.port_is_free(own_stack.port)
    assert not lifecycle.down(state_dir)


@pytest.mark.parametrize(("zipped", "modules"), ZIPS)
def test_a_zip_imports_only_packages_of_the_lambda_runtime(
    pipeline: Pipeline, zipped: Path, modules: str
) -> None:
    done = imported(zipped, modules)
    assert done.stdout.strip() == "fine", done.stderr


# Packages that MiniStack needs and Lambda does not have.
@pytest.mark.parametrize("library", ["yaml", "cbor2"])
def test_a_zip_cannot_rely_on_packages_that_only_the_emulator_has(
    pipeline: Pipeline, library: str, tmp_path: Path
) -> None:
    relying = tmp_path / "relying.zip"
    with zipfile.ZipFile(relying, "w") as archive:
        archive.writestr("relying.py", f"import {library}\n")
    done = imported(relying, "relying")
    assert done.returncode != 0
    assert f"AssertionError: {library}" in done.stderr


@pytest.mark.parametrize(("zipped", "modules"), ZIPS)
def test_a_zip_is_small_and_holds_only_our_own_source(zipped: Path, modules: str) -> None:
    assert zipped.stat().st_size < 3_000_000
    with zipfile.ZipFile(zipped) as archive:
        names = archive.namelist()
    ours = {"contract", "storage", "aws_http", "common", modules.split(".")[0]}
    assert {"contract", modules.split(".")[0]} <= {name.split("/")[0] for name in names} <= ours
    assert {Path(name).suffix for name in names} == {".py", ".json", ".zdict"}


def imported(zipped: Path, modules: str) -> subprocess.CompletedProcess[str]:
    """Import modules in an interpreter that has only the zip, botocore and the standard library."""
    packages = next((ROOT / ".venv" / "emulator").glob("lib/python3*/site-packages"))
    allowed = "botocore|boto3|jmespath|dateutil|urllib3|s3transfer|six|backports"
    program = f"""
import re, sys
sys.path[:0] = [{str(zipped)!r}, {str(packages)!r}]
import {modules}
for name, module in list(sys.modules.items()):
    file = getattr(module, "__file__", None) or ""
    if file.startswith({str(packages)!r}):
        assert re.match(r"({allowed})(\\.|$)", name), name
print("fine")
"""
    environment = {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "EVENTS_TABLE": "events",
        "REJECTED_TABLE": "rejected",
        "DUPLICATES_TABLE": "duplicates",
        "PAYLOAD_BUCKET": "payloads",
        "ARCHIVE_BUCKET": "archive",
        "ALERTS_TOPIC_ARN": "arn:aws:sns:us-east-1:000000000000:alerts",
        "LARGE_ORDER_THRESHOLD": "1000",
        "BATCH_SUMMARY_ALERTS": "true",
        "FUNCTION_TIMEOUT_SECONDS": "30",
        "REJECTED_RETENTION_DAYS": "90",
        "DUPLICATES_RETENTION_DAYS": "30",
        "ORIGIN_KEY": "key",
    }
    return subprocess.run(
        [sys.executable, "-I", "-c", program], env=environment, capture_output=True, text=True, check=False
    )
