"""Run `tools.ops` and `tools.analytics` on a test's stack, with the environment that make gives them.

They run in this process, because a new one takes a second to import boto3. The commands of README.md run in
processes (test_readme.py).
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from unittest import mock

from tests.integration.conftest import Pipeline
from tools.analytics.__main__ import main as analytics_main
from tools.core.paths import ROOT
from tools.core.resources import Resources
from tools.ops.__main__ import main as ops_main


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
    return _run(ops_main, command, environment_of(pipeline, **variables))


def analytics(pipeline: Pipeline, command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `query` or `report` with make's variables in its environment."""
    environment = environment_of(pipeline, **variables)
    return _run(lambda arguments: analytics_main(arguments, environment), command, environment)


def _run(
    main: Callable[[Sequence[str]], int], command: str, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    # With the settings of start(), and with a buffer, because some commands write bytes.
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace") for _ in range(2))
    with (
        mock.patch.dict(os.environ, environment, clear=True),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            status = main([command])
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 1
    for stream in (out, err):
        stream.seek(0)
    return subprocess.CompletedProcess([command], status, out.read(), err.read())


def resources(pipeline: Pipeline) -> Resources:
    """Return the resources of the stack."""
    return Resources.of_stack(pipeline.state_dir)
