"""Runs a Lambda function's files in a process of its own, as Lambda's runtime would, and times it.

Usage: ``python tools/benchmarks/function_host.py DIRECTORY``, with the function's environment variables set. Each
line on standard input is a JSON list of files of Lambda events; each answer is a line of JSON. Imports
nothing of this project, which would warm up what the function is to import itself.
"""

from __future__ import annotations

import io
import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace


class _Log(io.TextIOBase):
    """Takes what the function logs, and counts it."""

    bytes = 0
    last = ""

    def write(self, text: str) -> int:
        self.bytes += len(text.encode())
        self.last = text
        return len(text)


def main(directory: str) -> None:
    """Load the function, then measure it as often as asked."""
    sys.path.insert(0, directory)
    answers, log = sys.stdout, _Log()
    sys.stdout = log
    from processor.handler import handle

    context = SimpleNamespace(
        aws_request_id="00000000-0000-4000-8000-000000000000",
        function_name="processor",
        memory_limit_in_mb=512,
        invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:processor",
        get_remaining_time_in_millis=lambda: 30_000,
    )
    for line in sys.stdin:
        files = [Path(path) for path in json.loads(line)]
        events = [json.loads(text) for file in files for text in file.read_text().splitlines()]
        logged = log.bytes
        returned = 0
        wall, cpu = time.perf_counter(), time.process_time()
        for event in events:
            returned += len(handle(event, context)["batchItemFailures"])
        answer = {
            "cpu": time.process_time() - cpu,
            "wall": time.perf_counter() - wall,
            "records": sum(len(event["Records"]) for event in events),
            "returned": returned,
            "logged": log.bytes - logged,
            "last_log": log.last,
        }
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
