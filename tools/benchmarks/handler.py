"""Measure the handler's CPU time per event. The mock of AWS answers every request at once."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.benchmarks import fixtures
from tools.benchmarks.designs import DESIGNS
from tools.benchmarks.measure import compare
from tools.benchmarks.worker_process import WorkerProcess, start_workers

SIZES = (1, 20, 200)
# Bytes of events in one measurement: about 0.2 s of CPU time at every size.
_BYTES = 20 * 1024 * 1024
_MAX_BATCHES = 40


def run(rounds: int = 9, sizes: Sequence[int] = SIZES, batches: int | None = None) -> dict[str, Any]:
    """Return CPU milliseconds per event by size in KB and by design. A measurement has ``batches`` of 10.

    ``peak_mb`` is the highest memory of the process so far.
    """
    with start_workers(DESIGNS) as (workers, _, directory):
        return {f"{kb}": _measure(workers, kb, rounds, batches, directory) for kb in sizes}


def _measure(
    workers: Mapping[str, WorkerProcess], kb: int, rounds: int, batches: int | None, directory: Path
) -> dict[str, Any]:
    count = batches or max(1, min(_MAX_BATCHES, _BYTES // (kb * fixtures.KB * fixtures.BATCH)))
    events = fixtures.write_lambda_events(directory / f"events-{kb}.jsonl", kb, count)

    def invoke(worker: WorkerProcess) -> dict[str, float]:
        measured = worker.run(events)
        return {name: measured[name] for name in ("cpu_ms", "wall_ms", "peak_mb")}

    for worker in workers.values():
        invoke(worker)  # warm up connections and caches
    results = compare(workers, rounds, invoke)
    for result in results.values():
        result["peak_mb"] = result["peak_mb"]["high"]
    return results
