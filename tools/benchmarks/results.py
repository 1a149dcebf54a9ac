"""Store the results of benchmarks as JSON, with the machine, the versions and the commit."""

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from tools.benchmarks.designs import BENCH_VENV
from tools.core.paths import ROOT, VENVS

DIRECTORY = ROOT / "tools" / "benchmarks" / "results"
_PACKAGES = ("aws-lambda-powertools", "boto3", "botocore", "duckdb", "ministack", "pydantic")


def save(
    name: str, measured: dict[str, Any], environment: dict[str, Any], directory: Path = DIRECTORY
) -> Path:
    """Write the results of a benchmark, with the time and the environment (`describe_environment`)."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}.json"
    document = {
        "benchmark": name,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        **environment,
        "results": measured,
    }
    path.write_text(json.dumps(document, indent=1) + "\n")
    return path


def load(name: str, directory: Path = DIRECTORY) -> dict[str, Any]:
    """Return what `save` wrote. Raises FileNotFoundError if the benchmark has never run."""
    document: dict[str, Any] = json.loads((directory / f"{name}.json").read_text())
    return document


def describe_environment() -> dict[str, Any]:
    """Return what a reader needs to judge or to repeat a measurement."""
    return {"machine": _machine(), "versions": _versions(), "commit": _commit()}


def _machine() -> dict[str, Any]:
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": _memory_gb(),
        "system": f"{platform.system()} {platform.release()}",
        "load_before": [round(load, 1) for load in os.getloadavg()],
    }


def _versions() -> dict[str, str]:
    """Return the versions of Python and of the measured packages."""
    libraries = [
        str(library)
        for venv in (BENCH_VENV, VENVS / "emulator", VENVS / "analytics")
        for library in venv.glob("lib/python*/site-packages")
    ]
    installed = {package.name.lower(): package.version for package in distributions(path=libraries)}
    known = {name: installed[name] for name in _PACKAGES if name in installed}
    return {"python": platform.python_version()} | known


def _commit() -> str:
    """Return the commit, with a plus if the checkout has uncommitted changes."""
    head = _git("rev-parse", "--short", "HEAD") or "none"
    return head + ("+" if _git("status", "--porcelain") else "")


def _git(*arguments: str) -> str:
    try:
        process = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return process.stdout.strip()


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
