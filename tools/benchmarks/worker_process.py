"""Run a design's function in a process of its own, with the mock of AWS as its endpoint."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tools.benchmarks.designs import BENCH_VENV, Design
from tools.core.paths import LAMBDA_SOURCE, ROOT
from tools.ops.invoke import FUNCTION_VARIABLES

# For processes that import the project.
PYTHONPATH = {"PYTHONPATH": f"{ROOT}:{LAMBDA_SOURCE}"}

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    # Powertools warns if the service has no name.
    "POWERTOOLS_SERVICE_NAME": "processor",
}


def function_environment(endpoint: str) -> dict[str, str]:
    """Return the environment of a function that calls ``endpoint``, without the user's AWS settings."""
    inherited = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return inherited | CREDENTIALS | FUNCTION_VARIABLES | {"AWS_ENDPOINT_URL": endpoint, "LANG": "C.UTF-8"}


class WorkerProcess:
    """A process that has unpacked and loaded a design. It ends with the ``with`` block."""

    def __init__(self, design: Design, directory: Path, endpoint: str) -> None:
        self.design = design
        self._directory = design.unpack(directory)
        self._endpoint = endpoint

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [
                str(BENCH_VENV / "bin" / "python"),
                str(ROOT / "tools" / "benchmarks" / "function_host.py"),
                str(self._directory),
            ],
            env=function_environment(self._endpoint),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def run(self, file: Path) -> dict[str, Any]:
        """Invoke the function with each Lambda event of a file.

        Returns ``cpu`` and ``wall`` in seconds, the counts of ``records`` and ``returned`` messages, the
        bytes ``logged``, and the last line of them, ``last_log``. Raises RuntimeError if the function could
        not be loaded or returned a message to the queue, because the measurement would miss work.
        """
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{file}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.design.title} ended with exit code {self._process.wait()}")
        measurement: dict[str, Any] = json.loads(line)
        if measurement["returned"]:
            raise RuntimeError(
                f"{self.design.title} returned {measurement['returned']} messages to the queue"
            )
        return measurement
