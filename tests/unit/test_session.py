"""A test run ends with pytest's summary."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.unit.processor.conftest import ENVIRONMENT
from tools.core.paths import ROOT

# The handler freezes the garbage collector's objects, which then include DuckDB's.
IMPORTS = ("tools.analytics.database", "processor.handler")


def test_nothing_follows_the_summary_of_a_test_run() -> None:
    plugins = [argument for module in IMPORTS for argument in ("-p", module)]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins, "tests/unit/tools/analytics/test_charts.py"],
        cwd=ROOT,
        env=os.environ | ENVIRONMENT | {"PYTHONPATH": f"{ROOT}:{ROOT / 'lambda_src'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stderr == ""
    assert "passed" in run.stdout.splitlines()[-1]
