"""Measure the time from the first event sent until the queue is empty, on the embedded emulator."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from producer.options import Options
from producer.run import produce
from tools.benchmarks import fixtures
from tools.benchmarks.designs import ORIGINAL, OURS, POWERTOOLS, Design
from tools.benchmarks.local_stack import LocalStack, start_stack
from tools.benchmarks.measure import interleave, spread

COUNTS = {1: 2_000, 200: 300}
_TIMEOUT_SECONDS = 300.0


def run(rounds: int = 5, counts: Mapping[int, int] = COUNTS) -> dict[str, Any]:
    """Return events per second by size in KB and by design."""
    with start_stack() as stack:
        return measure(stack, rounds, counts)


def measure(stack: LocalStack, rounds: int, counts: Mapping[int, int]) -> dict[str, Any]:
    """Measure on a running stack, and deploy this pipeline's own code at the end."""
    designs = (OURS, ORIGINAL, POWERTOOLS)
    summaries: dict[str, Any] = {}
    try:
        for kb, count in counts.items():
            results = interleave(designs, rounds, lambda design: _send(stack, design, kb, count))  # noqa: B023 - called in this iteration
            summaries[f"{kb}"] = {
                design.name: {
                    "events_per_second": spread([count / result["drained"] for result in measured]),
                    "sent_seconds": spread([result["sent"] for result in measured]),
                    "drained_seconds": spread([result["drained"] for result in measured]),
                    "emulator_cpu_ms": spread([result["emulator"] for result in measured]),
                    "workers_cpu_ms": spread([result["workers"] for result in measured]),
                }
                for design, measured in zip(designs, results, strict=True)
            }
    finally:
        stack.deploy(OURS)
    return summaries


def _send(stack: LocalStack, design: Design, kb: int, count: int) -> dict[str, float]:
    stack.deploy(design)
    # The first events only warm up the workers: cold starts have their own benchmark.
    produce_events(stack, kb=1, count=50, seed=fixtures.SEED + 1)
    stack.wait_until_drained(_TIMEOUT_SECONDS)
    stack.delete_events()
    emulator, workers = stack.cpu_seconds()
    start = time.perf_counter()
    produce_events(stack, kb, count, fixtures.SEED)
    sent = time.perf_counter() - start
    drained = stack.wait_until_drained(_TIMEOUT_SECONDS) - start
    emulator_after, workers_after = stack.cpu_seconds()
    stored = stack.count_stored()
    if stored != count:
        raise RuntimeError(f"{design.title} stored {stored} of {count} events of {kb} KB")
    if stack.count_stored_by_ours() != (count if design is OURS else 0):
        raise RuntimeError(f"another design than {design.title} was measured")
    stack.delete_events()
    return {
        "sent": sent,
        "drained": max(sent, drained),
        "emulator": 1000 * (emulator_after - emulator) / count,
        "workers": 1000 * (workers_after - workers) / count,
    }


def produce_events(stack: LocalStack, kb: int, count: int, seed: int) -> None:
    """Send events to a stack with the producer. Raises RuntimeError unless all of them were sent."""
    options = Options(stack.queue_url, count, target_kb=kb, seed=seed, endpoint_url=stack.state.endpoint)
    result = produce(options, session=stack.session())
    if not result.complete:
        raise RuntimeError(result.error or "not every event could be sent")
