"""microburst as a process between the relay and the emulator."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.waiting import eventually
from tools.core.http import direct_opener

_direct = direct_opener()


class Burst:
    """A running microburst. It answers with faults in AWS's own wire format, by rules (its README)."""

    def __init__(self, upstream: str, port: int, log: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "microburst", "--upstream", upstream, "--port", str(port)]
        with log.open("wb") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        try:
            eventually(self._is_up, within=30, what=f"microburst answers; its log is {log}")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()

    @contextlib.contextmanager
    def microburst_rules(self, *rules: dict[str, Any]) -> Iterator[None]:
        """Have these rules in force for a while."""
        self._request("rules", "POST", list(rules))
        try:
            yield
        finally:
            self._request("rules", "POST", [])

    def fired(self) -> int:
        """Faults injected since it was started."""
        count: int = self._request("stats", "GET")["requests"]["faulted"]
        return count

    def _is_up(self) -> bool:
        if self._process.poll() is not None:
            raise AssertionError(f"microburst ended with {self._process.returncode}")
        with contextlib.suppress(OSError):
            return bool(self._request("health", "GET"))
        return False

    def _request(self, path: str, method: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"{self.url}/_microburst/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with _direct.open(request, timeout=10) as answer:
            return json.load(answer)
