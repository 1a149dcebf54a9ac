"""Measure how the cost of an event changes with the batch size, and throughput with the number of workers."""

from collections.abc import Sequence
from typing import Any

from tools.benchmarks import fixtures
from tools.benchmarks.designs import OURS, POWERTOOLS
from tools.benchmarks.end_to_end import compare_designs
from tools.benchmarks.local_stack import LocalStack, start_stack
from tools.benchmarks.measure import compare
from tools.benchmarks.worker_process import start_workers

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
    with start_workers(DESIGNS) as (workers, mock, directory):
        file = directory / "events.jsonl"
        results: dict[str, Any] = {}
        for size in BATCHES:
            fixtures.write_lambda_events(file, 1, max(1, events // size), size=size)
            calls = {}
            for name, worker in workers.items():  # this also warms up connections and caches
                mock.start_recording()
                records = worker.run(file)["records"]
                calls[name] = round(len(mock.stop_recording()) / records, 3)
            measured = compare(workers, rounds, lambda worker: {"cpu_ms": worker.run(file)["cpu_ms"]})
            results[f"{size}"] = {name: each | {"calls": calls[name]} for name, each in measured.items()}
    return results


def measure_workers(
    stack: LocalStack, rounds: int, count: int, numbers: Sequence[int] = WORKERS
) -> dict[str, Any]:
    """Return events/s end to end at 1 KB by the number of workers and by design."""
    results: dict[str, Any] = {}
    try:
        for workers in numbers:
            stack.set_concurrency(workers)
            results[f"{workers}"] = compare_designs(stack, DESIGNS, rounds, kb=1, count=count)
    finally:
        stack.deploy(OURS)
    return results
