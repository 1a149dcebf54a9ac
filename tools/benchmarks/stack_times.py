"""Measure the project's own commands in a fresh copy of the checkout."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.core.paths import ROOT
from tools.local import processes

# They run in this order. The first downloads all packages, the second finds no change.
COMMANDS: Mapping[str, Sequence[str]] = {
    "make up, fresh clone": ("make", "up", "EMULATOR=ministack"),
    "make up, nothing changed": ("make", "up", "EMULATOR=ministack"),
    "make demo": ("make", "demo"),
    "make down": ("make", "down"),
    "make test": ("make", "test"),
}

# Generated files and git's data.
_NOT_COPIED = (".git", ".venv", ".stack", ".cache", "build", ".hypothesis", ".terraform", "__pycache__")


def run(commands: Mapping[str, Sequence[str]] = COMMANDS) -> dict[str, Any]:
    """Return the seconds of each command. Each runs once, because they take too long for rounds."""
    with tempfile.TemporaryDirectory() as temporary:
        checkout = Path(temporary) / "checkout"
        _copy(checkout)
        environment = {
            **{name: value for name, value in os.environ.items() if name != "MAKEFLAGS"},
            "PORT": str(processes.free_port()),
            # A fresh machine has no pip cache.
            "PIP_NO_CACHE_DIR": "1",
        }
        try:
            return {
                name: {"seconds": _time(command, checkout, environment)} for name, command in commands.items()
            }
        finally:
            subprocess.run(["make", "down"], cwd=checkout, env=environment, capture_output=True, check=False)


def _copy(checkout: Path) -> None:
    shutil.copytree(ROOT, checkout, ignore=shutil.ignore_patterns(*_NOT_COPIED))


def _time(command: Sequence[str], directory: Path, environment: Mapping[str, str]) -> float:
    start = time.perf_counter()
    process = subprocess.run(
        command,
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{process.stdout[-4000:]}\n{process.stderr[-4000:]}")
    return round(time.perf_counter() - start, 1)
