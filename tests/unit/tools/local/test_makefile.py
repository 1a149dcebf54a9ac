import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tools.core.paths import ROOT

TARGETS = {
    *("help", "up", "down", "status", "demo", "env", "doctor"),
    *("send", "get", "trace", "events", "logs", "rejected", "replay", "rearchive", "redrive", "restore"),
    *("erase", "verify", "top", "alerts", "query", "report", "bench", "cost", "dictionary"),
    *("plan-aws", "deploy-aws", "rollback-aws", "destroy-aws", "drift", "env-aws"),
    *("invoke", "test", "test-chaos", "test-config", "audit", "lint", "contract-check", "fmt", "docs"),
    *("release", "lock", "clean"),
}


def make(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments],
        cwd=directory,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_a_target_make_lists_them_all() -> None:
    listed = re.findall(r"^  (\S+) ", make(ROOT).stdout, re.MULTILINE)
    assert len(listed) == len(TARGETS)
    assert set(listed) == TARGETS


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_every_target_can_be_made(target: str) -> None:
    done = make(ROOT, "--dry-run", target)
    assert done.returncode == 0, done.stderr


def test_targets_given_together_run_one_after_the_other_even_with_j(tmp_path: Path) -> None:
    (tmp_path / "both").write_text(
        f"include {ROOT}/Makefile\n"
        "first: ; @for n in 1 2 3 4 5 6; do [ ! -e began ] || echo at once; sleep 0.05; done\n"
        "second: ; @touch began; echo second\n"
    )
    assert make(tmp_path, "-j2", "-f", "both", "first", "second").stdout.split("\n") == ["second", ""]


def test_a_checkout_whose_path_holds_spaces_works(tmp_path: Path) -> None:
    checkout = tmp_path / "a check out"
    checkout.mkdir()
    shutil.copy(ROOT / "Makefile", checkout)
    shutil.copytree(ROOT / "tools", checkout / "tools")
    done = make(checkout, "down", "PYTHON=python3")
    assert "nothing to remove" in done.stdout or "needs Python 3.11" in done.stderr


def test_clean_empties_a_venv_that_cannot_be_removed(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    (checkout / ".venv" / "tools" / "bin").mkdir(parents=True)
    (checkout / ".venv" / ".lock").touch()
    (checkout / "build").mkdir()
    shutil.copy(ROOT / "Makefile", checkout)
    # An rmdir that refuses, as for a mount point, and no stack to take down.
    (tmp_path / "bin").mkdir()
    for name, status in (("rmdir", 1), ("python3", 0)):
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\nexit {status}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    (checkout / "tools" / "local").mkdir(parents=True)
    (checkout / "tools" / "local" / "python.sh").write_text("echo python3\n")
    done = subprocess.run(
        ["make", "clean"],
        cwd=checkout,
        env={"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list((checkout / ".venv").iterdir()) == []
    assert not (checkout / "build").exists()
