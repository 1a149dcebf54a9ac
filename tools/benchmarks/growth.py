"""Measure how the cost of an event changes with the batch size, and throughput with the number of workers."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tools.benchmarks import fixtures
from tools.benchmarks.designs import OURS, POWERTOOLS
from tools.benchmarks.end_to_end import send_to
from tools.benchmarks.local_stack import LocalStack, start_stack
from tools.benchmarks.measure import interleave, spread
from tools.benchmarks.mock_aws import MockAws
from tools.benchmarks.worker_process import WorkerProcess

DESIGNS = (OURS, POWERTOOLS)
BATCHES = (1, 10, 100)
# AWS refuses a maximum concurrency of 1 (Lambda developer guide, "Configuring maximum concurrency").
WORKERS = (2, 4, 8)
COUNT = 2_000
_EVENTS = 400


def run(rounds: int = 5, count: int = COUNT) -> dict[str, Any]:
    """Return CPU time and calls per event by batch size, and events/s of ``count`` events by workers."""
    batches = measure_batches(rounds)
    with start_stack() as stack:
        return {"batches": batches, "workers": measure_workers(stack, rounds, count)}


def measure_batches(rounds: int, events: int = _EVENTS) -> dict[str, Any]:
    """Return CPU milliseconds and calls of AWS per event of 1 KB, by batch size and design."""
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        mock = stack.enter_context(MockAws())
        workers = [
            stack.enter_context(WorkerProcess(design, Path(temporary) / design.name, mock.endpoint))
            for design in DESIGNS
        ]
        results: dict[str, Any] = {}
        for size in BATCHES:
            file = Path(temporary) / "events.jsonl"
            fixtures.write_lambda_events(file, 1, max(1, events // size), size=size)
            calls = {}
            for worker in workers:  # this also warms up connections and caches
                mock.start_recording()
                records = worker.run(file)["records"]
                calls[worker.design.name] = round(len(mock.stop_recording()) / records, 3)
            measured = interleave(workers, rounds, lambda worker: worker.run(file))  # noqa: B023 - called in this iteration
            results[f"{size}"] = {
                worker.design.name: {
                    "cpu_ms": spread([1000 * each["cpu"] / each["records"] for each in result]),
                    "calls": calls[worker.design.name],
                }
                for worker, result in zip(workers, measured, strict=True)
            }
    return results


def measure_workers(
    stack: LocalStack, rounds: int, count: int, numbers: Sequence[int] = WORKERS
) -> dict[str, Any]:
    """Return events/s end to end at 1 KB by the number of workers and by design."""
    results: dict[str, Any] = {}
    try:
        for workers in numbers:
            stack.set_concurrency(workers)
            measured = interleave(DESIGNS, rounds, lambda design: send_to(stack, design, 1, count))
            results[f"{workers}"] = {
                design.name: {"events_per_second": spread([count / each["drained"] for each in rounds_of])}
                for design, rounds_of in zip(DESIGNS, measured, strict=True)
            }
    finally:
        stack.deploy(OURS)
    return results
