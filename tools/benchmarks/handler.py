"""Measure the handler's CPU time per event. The mock of AWS answers every request at once."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tools.benchmarks import fixtures
from tools.benchmarks.designs import DESIGNS
from tools.benchmarks.measure import interleave, spread
from tools.benchmarks.mock_aws import MockAws
from tools.benchmarks.worker_process import WorkerProcess

SIZES = (1, 20, 200)
# Bytes of events in one measurement: about 0.2 s of CPU time at every size.
_BYTES = 20 * 1024 * 1024
_MAX_BATCHES = 40


def run(rounds: int = 9, sizes: Sequence[int] = SIZES, batches: int | None = None) -> dict[str, Any]:
    """Return CPU milliseconds per event by size in KB and by design. A measurement has ``batches`` of 10.

    ``peak_mb`` is the highest memory of the process so far.
    """
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        mock = stack.enter_context(MockAws())
        workers = [
            stack.enter_context(WorkerProcess(design, Path(temporary) / design.name, mock.endpoint))
            for design in DESIGNS
        ]
        return {f"{kb}": _measure(workers, kb, rounds, batches, Path(temporary)) for kb in sizes}


def _measure(
    workers: list[WorkerProcess], kb: int, rounds: int, batches: int | None, directory: Path
) -> dict[str, Any]:
    count = batches or max(1, min(_MAX_BATCHES, _BYTES // (kb * fixtures.KB * fixtures.BATCH)))
    events = fixtures.write_lambda_events(directory / f"events-{kb}.jsonl", kb, count)
    for worker in workers:
        worker.run(events)  # warm up connections and caches
    results = interleave(workers, rounds, lambda worker: worker.run(events))
    return {
        worker.design.name: {
            "cpu_ms": spread([1000 * result["cpu"] / result["records"] for result in measured]),
            "wall_ms": spread([1000 * result["wall"] / result["records"] for result in measured]),
            "peak_mb": max(result["peak_mb"] for result in measured),
        }
        for worker, measured in zip(workers, results, strict=True)
    }
