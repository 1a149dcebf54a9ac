"""The headline run: 26,000 events of 200 KB through the embedded stack, and every one accounted for."""

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
from tools.benchmarks.worker_process import RunningStack, peak_mb, stack
from tools.core.paths import ROOT
from tools.core.resources import Resources
from tools.ops.verify.verify import verify

COUNT, KB = 26_000, 200
_WITHIN = 1_800.0


def run(count: int = COUNT, kb: int = KB) -> dict[str, Any]:
    """One run, with ``make send``'s own command: seconds, peak memory of each process, bytes, the verdict."""
    with stack() as running:
        return measure(running, count, kb)


def measure(running: RunningStack, count: int, kb: int) -> dict[str, Any]:
    """The same on a stack that runs already and has stored nothing yet."""
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "headline.jsonl"
        began = time.perf_counter()
        sent, producer_peak = _send(running, count, kb, path)
        sending = time.perf_counter() - began
        drained = running.drained_at(_WITHIN) - began
        peaks = running.peaks_mb() | {"producer": producer_peak}
        verdict = verify(Resources.of_stack(running.state_dir), read_run(path), wait=_WITHIN)
    logged = _logged(running)
    seconds = max(sending, drained)
    return {
        "count": count,
        "kb": kb,
        "seconds": round(seconds, 1),
        "sending_seconds": round(sending, 1),
        "events_per_second": round(count / seconds, 1),
        "bytes_sent": sent["bytes"],
        "bytes_stored": logged,
        "peak_mb": peaks,
        "verify": {
            "holds": verdict.ok,
            "stored": len(verdict.snapshot.stored),
            "dead_lettered": len(verdict.snapshot.dead_lettered),
            "findings": len(verdict.discrepancies),
        },
    }


def _send(running: RunningStack, count: int, kb: int, path: Path) -> tuple[dict[str, Any], float | None]:
    arguments = ["--count", count, "--batch-size", 10, "--target-kb", kb, "--rate", 0, "--seed", SEED]
    process = subprocess.Popen(
        [
            *(sys.executable, str(ROOT / "producer" / "send_test_events.py"), "--json"),
            *("--queue-url", running.queue_url, "--manifest", str(path)),
            *map(str, arguments),
        ],
        env=running.state.environment() | {"PYTHONPATH": str(ROOT)},
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
    said, complaints = process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"the producer ended with exit code {process.returncode}:\n{complaints}")
    result: dict[str, Any] = json.loads(said)
    return result, peak


def _logged(running: RunningStack) -> int:
    """What the function says that it stored, over all of its invocations."""
    pages = (
        running.state.client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=f"/aws/lambda/{running.state.outputs['function_name']}")
    )
    lines = (event["message"] for page in pages for event in page["events"])
    return sum(int(found[1]) for line in lines if (found := re.search(r'"BytesStored":(\d+)', line)))
