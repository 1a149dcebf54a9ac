"""Run `python -m tools.ops` on a test's stack, as make does."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.integration.conftest import Pipeline
from tools.core.paths import ROOT
from tools.core.resources import Resources


def environment_of(pipeline: Pipeline, **variables: str) -> dict[str, str]:
    """Return the environment of the ops commands for a test's stack, with make's variables."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT}:{ROOT / 'lambda_src'}",
        "STACK_DIR": str(pipeline.state_dir),
        **pipeline.target.environment(),
        **variables,
    }


def ops(pipeline: Pipeline, command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command with make's variables, such as EVENT_ID, in its environment."""
    return subprocess.run(
        [sys.executable, "-m", "tools.ops", command],
        env=environment_of(pipeline, **variables),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def resources(pipeline: Pipeline) -> Resources:
    """Return the resources of the stack."""
    return Resources.of_stack(pipeline.state_dir)
