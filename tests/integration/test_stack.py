"""The local stack: the first apply, an apply without changes, and complete removal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests import verified
from tests.integration.conftest import Pipeline, free_port
from tools.core.paths import ARCHIVER_ZIP, LAMBDA_ZIP, ROOT
from tools.deploy import plan as plans
from tools.local import alarms, lifecycle, processes, terraform, tflocal, toolchain
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
    pipeline.target.up(pipeline.state_dir, pipeline.variables, output.append)
    if any("0 added, 0 changed, 0 destroyed" in line for line in output):
        return
    # A current provider updates MiniStack's alarms again, although they equal the config.
    plan = planned(pipeline)
    misread = alarms.misread(plan, pipeline.state.client("cloudwatch"))
    assert misread
    assert any(f"0 added, {len(misread)} changed, 0 destroyed" in line for line in output), "\n".join(output)
    assert {change.address for change in plans.changes(plan)} == misread


def planned(pipeline: Pipeline) -> dict[str, Any]:
    """Return Terraform's plan for the stack, with a current provider."""
    workdir, program = terraform.workdir(pipeline.state_dir), toolchain.find_terraform()
    environment = tflocal.environment(
        pipeline.state.endpoint, pipeline.state.region, program, pipeline.state.access_key
    )
    arguments = terraform._arguments(pipeline.variables)
    log = pipeline.state_dir / terraform.LOG
    tflocal.run(workdir, environment, log, print, "plan", "-out=again.tfplan", *arguments)
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


def test_down_leaves_nothing_behind(tmp_path: Path) -> None:
    port = free_port()
    state_dir = tmp_path / "stack"
    lifecycle.up(state_dir, port=port, emulator="ministack", log=lambda line: None)
    emulator = Emulator.load(state_dir)
    assert emulator is not None
    marks = {pid: processes.start_mark(pid) or "" for pid in processes.group_members(int(emulator.name))}
    assert processes.alive(marks)
    assert lifecycle.down(state_dir)
    assert not state_dir.exists()
    assert processes.alive(marks) == []
    assert processes.port_is_free(port)
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
