"""A design's function, running in a process of its own against a sink."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tools.benchmarks.designs import BENCH_VENV, ENVIRONMENT, Design
from tools.core.paths import ROOT

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    # Powertools' tracer and metrics are not used; without this it warns.
    "POWERTOOLS_SERVICE_NAME": "processor",
}


def environment(endpoint: str) -> dict[str, str]:
    """The environment of a function whose AWS calls go to ``endpoint``, with nothing of a person's own."""
    inherited = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return inherited | CREDENTIALS | ENVIRONMENT | {"AWS_ENDPOINT_URL": endpoint, "LANG": "C.UTF-8"}


class WorkerProcess:
    """A design, laid out in ``directory`` and loaded, for as long as the ``with`` lasts."""

    def __init__(self, design: Design, directory: Path, endpoint: str) -> None:
        self.design = design
        self._directory = design.lay_out(directory)
        self._endpoint = endpoint

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [
                str(BENCH_VENV / "bin" / "python"),
                str(ROOT / "tools" / "benchmarks" / "function_host.py"),
                str(self._directory),
            ],
            env=environment(self._endpoint),
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

    def run(self, *files: Path) -> dict[str, Any]:
        """Invoke the function with each event of the files.

        Returns ``cpu`` and ``wall`` in seconds, and counts: ``records``, ``returned`` to the queue, and bytes
        ``logged``, of which ``last_log`` is the last line. Raises RuntimeError when a message was returned or
        the function could not be loaded: what is measured must be the work, all of it.
        """
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([str(path) for path in files]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.design.title} ended with exit code {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if answer["returned"]:
            raise RuntimeError(f"{self.design.title} handed back {answer['returned']} messages")
        return answer
