"""Load a Lambda function in this process as Lambda's runtime would, and time its invocations.

Usage: ``python tools/benchmarks/function_host.py DIRECTORY``, with the function's environment variables set.
Each line on standard input is the path of a file of Lambda events; each result is a line of JSON. This module
imports nothing of the project, so that all imports of the function are cold.
"""

import io
import json
import resource
import sys
import time
from pathlib import Path
from types import SimpleNamespace


class _LogCounter(io.TextIOBase):
    """Count the bytes that the function logs, and remember the last line."""

    bytes = 0
    last_line = ""

    def write(self, text: str) -> int:
        self.bytes += len(text.encode())
        self.last_line = text
        return len(text)


def _peak_mb() -> float:
    # VmHWM instead of ru_maxrss, because ru_maxrss includes the memory of the parent at the fork.
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 / 1024  # bytes on macOS


def main(directory: str) -> None:
    """Load the function, and measure it once for each line of standard input."""
    sys.path.insert(0, directory)
    output, log = sys.stdout, _LogCounter()
    sys.stdout = log
    from processor.handler import handle

    context = SimpleNamespace(
        aws_request_id="00000000-0000-4000-8000-000000000000",
        function_name="processor",
        memory_limit_in_mb=512,
        invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:processor",
        get_remaining_time_in_millis=lambda: 30_000,
    )
    for path in sys.stdin:
        events = [json.loads(line) for line in Path(path.rstrip("\n")).read_text().splitlines()]
        logged_before = log.bytes
        returned = 0
        wall, cpu = time.perf_counter(), time.process_time()
        for event in events:
            returned += len(handle(event, context)["batchItemFailures"])
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        records = sum(len(event["Records"]) for event in events)
        measurement = {
            "cpu_ms": 1000 * cpu / records,
            "wall_ms": 1000 * wall / records,
            "records": records,
            "returned": returned,
            "peak_mb": _peak_mb(),
            "logged": log.bytes - logged_before,
            "last_log": log.last_line,
        }
        print(json.dumps(measurement), file=output, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
