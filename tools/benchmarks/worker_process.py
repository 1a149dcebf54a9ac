"""Run each design's function in a separate process, with the mock of AWS as its endpoint."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tools.benchmarks.designs import BENCH_VENV, Design
from tools.benchmarks.mock_aws import MockAws
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
    """A process that has unpacked and loaded a design."""

    def __init__(self, design: Design, process: subprocess.Popen[str]) -> None:
        self.design = design
        self._process = process

    def run(self, file: Path) -> dict[str, Any]:
        """Invoke the function with each Lambda event of a file.

        Returns ``cpu_ms`` and ``wall_ms`` per record, the counts of ``records`` and ``returned`` messages,
        the process's ``peak_mb``, the bytes ``logged``, and the last line of them, ``last_log``. Raises
        RuntimeError if the function could not be loaded or returned a message to the queue, because the
        measurement would miss work.
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


@contextmanager
def start_workers(
    designs: Sequence[Design],
) -> Iterator[tuple[dict[str, WorkerProcess], MockAws, Path]]:
    """Start a worker of each design, with a mock of AWS. Yield the workers by name, the mock, a directory."""
    host = str(ROOT / "tools" / "benchmarks" / "function_host.py")
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        mock = stack.enter_context(MockAws())
        workers = {}
        for design in designs:
            command = [str(BENCH_VENV / "bin" / "python"), host]
            process = subprocess.Popen(
                [*command, str(design.unpack(Path(temporary) / design.name))],
                env=function_environment(mock.endpoint),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            # The worker ends when its standard input is closed.
            workers[design.name] = WorkerProcess(design, stack.enter_context(process))
        yield workers, mock, Path(temporary)
