"""Run the load test: 26,000 events of 200 KB through the embedded emulator, then verify each of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from producer.manifest import read_run
from tools.benchmarks.fixtures import SEED
from tools.benchmarks.local_stack import LocalStack, peak_mb, start_stack
from tools.benchmarks.worker_process import PYTHONPATH
from tools.core.paths import ROOT
from tools.core.resources import Resources
from tools.ops.verify.verify import verify

COUNT, KB = 26_000, 200
_TIMEOUT_SECONDS = 1_800.0


def run(count: int = COUNT, kb: int = KB) -> dict[str, Any]:
    """Run the load test once. Return seconds, peak memory by process, bytes, and the result of verify."""
    with start_stack() as stack:
        return measure(stack, count, kb)


def measure(stack: LocalStack, count: int, kb: int) -> dict[str, Any]:
    """Run the load test on a running stack that has stored nothing yet."""
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "headline.jsonl"
        start = time.perf_counter()
        sent, producer_peak = _send(stack, count, kb, path)
        sending = time.perf_counter() - start
        drained = stack.wait_until_drained(_TIMEOUT_SECONDS) - start
        peaks = stack.peaks_mb() | {"producer": producer_peak}
        start = time.perf_counter()
        result = verify(Resources.of_stack(stack.state_dir), [read_run(path)], wait=_TIMEOUT_SECONDS)
    seconds = max(sending, drained)
    return {
        "count": count,
        "kb": kb,
        "seconds": round(seconds, 1),
        "sending_seconds": round(sending, 1),
        "events_per_second": round(count / seconds, 1),
        "bytes_sent": sent["bytes"],
        "bytes_stored": _stored_bytes(stack),
        "peak_mb": peaks,
        "verify": {
            "holds": result.ok,
            "stored": result.stored.total(),
            "dead_lettered": result.dead_lettered,
            "findings": len(result.discrepancies),
        },
    }


def _send(stack: LocalStack, count: int, kb: int, path: Path) -> tuple[dict[str, Any], float | None]:
    arguments = ["--count", count, "--batch-size", 10, "--target-kb", kb, "--rate", 0, "--seed", SEED]
    process = subprocess.Popen(
        [
            *(sys.executable, str(ROOT / "producer" / "send_test_events.py"), "--json"),
            *("--queue-url", stack.queue_url, "--manifest", str(path)),
            *map(str, arguments),
        ],
        env=stack.state.environment() | PYTHONPATH,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    peak = None
    while process.poll() is None:
        peak = peak_mb(process.pid) or peak
        try:
            process.wait(0.2)
        except subprocess.TimeoutExpired:
            continue
    output, errors = process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"the producer ended with exit code {process.returncode}:\n{errors}")
    result: dict[str, Any] = json.loads(output)
    return result, peak


def _stored_bytes(stack: LocalStack) -> int:
    """Return the bytes that the function stored, by its log."""
    pages = (
        stack.state.client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=f"/aws/lambda/{stack.state.outputs['function_name']}")
    )
    lines = (event["message"] for page in pages for event in page["events"])
    return sum(int(match[1]) for line in lines if (match := re.search(r'"BytesStored":(\d+)', line)))
