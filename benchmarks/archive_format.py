"""What the archive is written as: gzip JSON lines against Parquet, in bytes, CPU, and what queries read."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from typing import Any

from stack.paths import ROOT, VENVS

LINES, ZSTD, SNAPPY = "json lines, gzip", "parquet, zstd", "parquet, snappy"
FORMATS = (LINES, ZSTD, SNAPPY)
# Some 20 and 30 MB of events: a minute of 300 events/s of 1 KB, or of 2 or 3 of 200 KB.
COUNTS: Mapping[int, int] = {1: 20_000, 200: 150}


def run(rounds: int = 5, counts: Mapping[int, int] = COUNTS) -> dict[str, Any]:
    """By size in KB and by format.

    ``bytes`` and ``write_cpu_ms`` are for an event, ``query_ms`` are those of a named query by its name and
    ``read_bytes`` what Athena would bill for it, both for all events together. Runs with the Python that has
    DuckDB; raises RuntimeError, with what was said, where that fails.
    """
    with tempfile.TemporaryDirectory() as temporary:
        return {f"{kb}": _measure(kb, count, rounds, temporary) for kb, count in counts.items()}


def _measure(kb: int, count: int, rounds: int, directory: str) -> dict[str, Any]:
    task = json.dumps({"kb": kb, "count": count, "rounds": rounds, "directory": f"{directory}/{kb}"})
    done = subprocess.run(
        [_python(), "-m", "benchmarks.archive_writer", task],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'lambda_src'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"benchmarks.archive_writer failed:\n{done.stderr}")
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def _python() -> str:
    # The tests' environment has DuckDB as well; that of the tools has not.
    return (
        sys.executable if importlib.util.find_spec("duckdb") else str(VENVS / "analytics" / "bin" / "python")
    )
