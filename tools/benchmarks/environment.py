"""Where a benchmark ran: the machine, the versions, the commit."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from tools.benchmarks.designs import BENCH_VENV
from tools.core.paths import ROOT, VENVS

_NAMED = ("aws-lambda-powertools", "boto3", "botocore", "duckdb", "ministack", "pydantic")


def describe() -> dict[str, Any]:
    """All that a reader needs in order to judge, or to repeat, what was measured."""
    return {"machine": machine(), "versions": versions(), "commit": commit()}


def machine() -> dict[str, Any]:
    """What this machine is, and how busy it is with other things."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": _memory_gb(),
        "system": f"{platform.system()} {platform.release()}",
        "load_before": [round(load, 1) for load in os.getloadavg()],
    }


def versions() -> dict[str, str]:
    """Python's, and those of the packages that are measured."""
    libraries = [
        str(library)
        for venv in (BENCH_VENV, VENVS / "emulator", VENVS / "analytics")
        for library in venv.glob("lib/python*/site-packages")
    ]
    found = {one.name.lower(): one.version for one in distributions(path=libraries)}
    return {"python": platform.python_version()} | {name: found[name] for name in _NAMED if name in found}


def commit() -> str:
    """The commit, with a plus where the checkout holds more than that."""
    head = _git("rev-parse", "--short", "HEAD") or "none"
    return head + ("+" if _git("status", "--porcelain") else "")


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "?")


def _memory_gb() -> int | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
    except (ValueError, OSError):
        return None
