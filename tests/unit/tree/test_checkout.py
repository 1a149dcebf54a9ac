"""A checkout on Windows is as good as any: Git converts line ends there, and files lose their rights."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.core.paths import ROOT
from tools.local import build

NOT_COPIED = shutil.ignore_patterns(".git", ".venv", ".cache", ".stack", ".deploy", "build", "__pycache__")


def run(*command: str, cwd: Path, code: int | None = 0) -> str:
    """Run a command without the user's own git settings, and return its output."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(cwd),
            "GIT_CONFIG_NOSYSTEM": "1",
            "PYTHON": sys.executable,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert code is None or done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of this tree with core.autocrlf=true, in which no file may be executed."""
    if shutil.which("git") is None:
        pytest.skip("git, which converts line ends, is not on PATH")
    directory = tmp_path_factory.mktemp("windows")
    origin = directory / "origin"
    shutil.copytree(ROOT, origin, ignore=NOT_COPIED)
    run("git", "init", "--quiet", cwd=origin)
    run("git", "add", "--all", cwd=origin)
    author = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    run("git", *author, "commit", "--quiet", "--no-verify", "--message=tree", cwd=origin)
    run("git", "-c", "core.autocrlf=true", "clone", "--quiet", str(origin), "clone", cwd=directory)
    for path in (directory / "clone").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
    return directory / "clone"


def test_its_file_names_exist_on_windows_and_macos(checkout: Path) -> None:
    names = run("git", "ls-files", "-z", cwd=checkout).split("\0")[:-1]
    assert [name for name in names if re.search(r'[<>:"\\|?*\x00-\x1f]|[. ](?:/|$)', name)] == []
    assert [name for name in names if len(name) > 180] == []
    assert len({name.lower() for name in names}) == len(names)


def test_its_files_are_those_of_any_other_checkout(checkout: Path) -> None:
    names = run("git", "ls-files", "-z", cwd=checkout).split("\0")[:-1]
    assert {"Makefile", "tools/local/python.sh", "docs/report.png"} < set(names)
    assert [name for name in names if (checkout / name).read_bytes() != (ROOT / name).read_bytes()] == []


def test_make_help_and_make_doctor_work_in_it(checkout: Path) -> None:
    assert "  demo " in run("make", "help", cwd=checkout)
    # Its exit status depends on the machine.
    assert run("make", "doctor", cwd=checkout, code=None).startswith("ok      Python")


def test_its_zips_are_those_of_any_other_checkout(checkout: Path) -> None:
    path = "import sys; sys.path.append('lambda_src')"
    hashes = f"{path}\nfrom tools.local import build; print(build.build_all())"
    assert run(sys.executable, "-c", hashes, cwd=checkout) == f"{build.build_all()}\n"


def test_the_dev_container_shares_neither_environments_nor_state_with_its_host() -> None:
    text = (ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8")
    container = json.loads(re.sub(r"^ *//.*$", "", text, flags=re.MULTILINE))
    assert any("target=${containerWorkspaceFolder}/.venv,type=volume" in each for each in container["mounts"])
    assert not container["containerEnv"]["STACK_DIR"].startswith(("/workspaces", "${"))
    # Inside: outside of it, LocalStack's port would be the host's. Terraform, because arm64 has no wheel.
    features = {name.rpartition("/")[2].partition(":")[0] for name in container["features"]}
    assert features == {"docker-in-docker", "terraform"}
