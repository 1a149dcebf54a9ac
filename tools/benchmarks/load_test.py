"""Run the load test: 26,000 events of 200 KB through the embedded emulator, then verify each of them."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from tools.benchmarks.fixtures import SEED
from tools.benchmarks.local_stack import LocalStack, peak_mb, start_stack
from tools.benchmarks.worker_process import PYTHONPATH
from tools.core.paths import ROOT

COUNT, KB = 26_000, 200
_TIMEOUT_SECONDS = 1_800.0


def run(count: int = COUNT, kb: int = KB) -> dict[str, Any]:
    """Run the load test once. Return seconds, peak memory by process, bytes, and the result of verify."""
    with start_stack(archive=True) as stack:
        return measure(stack, count, kb)


def measure(stack: LocalStack, count: int, kb: int) -> dict[str, Any]:
    """Run the load test on a running stack that has stored nothing yet."""
    with tempfile.TemporaryDirectory() as temporary:
        manifest = str(Path(temporary) / "headline.jsonl")
        start = time.perf_counter()
        sent, producer_peak = run_command(
            *(str(ROOT / "producer" / "send_test_events.py"), "--json"),
            *("--queue-url", stack.queue_url, "--manifest", manifest, "--count", str(count)),
            *("--target-kb", str(kb), "--rate", "0", "--seed", str(SEED)),
            environment=stack.state.environment(),
        )
        sending = time.perf_counter() - start
        drained = stack.wait_until_drained(_TIMEOUT_SECONDS) - start
        command = ("-m", "tools.ops", "verify", "--json", "--auto-approve", "--manifest", manifest)
        environment = {"STACK_DIR": str(stack.state_dir)}
        # The first one waits until the archiver has caught up.
        run_command(*command, "--wait", str(_TIMEOUT_SECONDS), environment=environment)
        archived = time.perf_counter()
        printed, verify_peak = run_command(*command, environment=environment)
        result = json.loads(printed)
        verifying = time.perf_counter() - archived
        peaks = stack.peaks_mb() | {"producer": producer_peak, "verify": verify_peak}
    seconds = max(sending, drained)
    return {
        "count": count,
        "kb": kb,
        "seconds": round(seconds, 1),
        "sending_seconds": round(sending, 1),
        "archived_seconds": round(archived - start, 1),
        "events_per_second": round(count / seconds, 1),
        "bytes_sent": json.loads(sent)["bytes"],
        "bytes_stored": _stored_bytes(stack),
        "peak_mb": peaks,
        "verify": {
            "seconds": round(verifying, 1),
            "holds": result["holds"],
            "stored": result["stored"],
            "dead_lettered": result["dead_lettered"],
            "findings": len(result["findings"]),
        },
    }


def run_command(*arguments: str, environment: dict[str, str]) -> tuple[str, float | None]:
    """Run a command of Python. Return what it prints and its peak memory in MB. Raises RuntimeError."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]} | environment | PYTHONPATH,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with ThreadPoolExecutor(1) as pool:
        output = pool.submit(process.communicate)
        peak = None
        while process.poll() is None:
            peak = peak_mb(process.pid) or peak
            wait([output], timeout=0.1)
        printed, errors = output.result()
    # Discrepancies are a result of verify.
    if process.returncode not in (0, 1) or not printed:
        raise RuntimeError(f"{' '.join(arguments[:3])} ended with exit code {process.returncode}:\n{errors}")
    return printed, peak


def _stored_bytes(stack: LocalStack) -> int:
    """Return the bytes that the function stored, by its log."""
    pages = (
        stack.state.client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=f"/aws/lambda/{stack.state.outputs['function_name']}")
    )
    lines = (event["message"] for page in pages for event in page["events"])
    return sum(int(match[1]) for line in lines if (match := re.search(r'"BytesStored":(\d+)', line)))
