"""From the first event sent to the queue drained, on the embedded stack, with each design in it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from producer.options import Options
from producer.run import produce
from tools.benchmarks import fixtures
from tools.benchmarks.designs import ORIGINAL, OURS, POWERTOOLS, Design
from tools.benchmarks.measure import in_turn, spread
from tools.benchmarks.worker_process import RunningStack, stack

COUNTS = {1: 2_000, 200: 300}
_WITHIN = 300.0


def run(rounds: int = 5, counts: Mapping[int, int] = COUNTS) -> dict[str, Any]:
    """Events per second by size in KB and by design."""
    with stack() as running:
        return measure(running, rounds, counts)


def measure(running: RunningStack, rounds: int, counts: Mapping[int, int]) -> dict[str, Any]:
    """The same on a stack that runs already; leaves this pipeline's own code in it."""
    designs = (OURS, ORIGINAL, POWERTOOLS)
    found: dict[str, Any] = {}
    try:
        for kb, count in counts.items():
            results = in_turn(designs, rounds, lambda design, _: _send(running, design, kb, count))  # noqa: B023 - used at once
            found[f"{kb}"] = {
                design.name: {
                    "events_per_second": spread([count / one["drained"] for one in measured]),
                    "sent_seconds": spread([one["sent"] for one in measured]),
                    "drained_seconds": spread([one["drained"] for one in measured]),
                    "emulator_cpu_ms": spread([one["emulator"] for one in measured]),
                    "workers_cpu_ms": spread([one["workers"] for one in measured]),
                }
                for design, measured in zip(designs, results, strict=True)
            }
    finally:
        running.deploy(OURS)
    return found


def _send(running: RunningStack, design: Design, kb: int, count: int) -> dict[str, float]:
    running.deploy(design)
    # Cold starts are another benchmark; what is sent here is none of the events that are measured.
    produce_events(running, kb=1, count=50, seed=fixtures.SEED + 1)
    running.drained_at(_WITHIN)
    running.forget_events()
    emulator, workers = running.cpu_seconds()
    began = time.perf_counter()
    produce_events(running, kb, count, fixtures.SEED)
    sent = time.perf_counter() - began
    drained = running.drained_at(_WITHIN) - began
    emulator_after, workers_after = running.cpu_seconds()
    stored = running.stored()
    if stored != count:
        raise RuntimeError(f"{design.title} stored {stored} of {count} events of {kb} KB")
    if running.stored_by_ours() != (count if design is OURS else 0):
        raise RuntimeError(f"other code than that of {design.title} was measured")
    running.forget_events()
    return {
        "sent": sent,
        "drained": max(sent, drained),
        "emulator": 1000 * (emulator_after - emulator) / count,
        "workers": 1000 * (workers_after - workers) / count,
    }


def produce_events(running: RunningStack, kb: int, count: int, seed: int) -> None:
    """Send the producer's own events to a stack. Raises RuntimeError when not all of them could be sent."""
    options = Options(running.queue_url, count, target_kb=kb, seed=seed, endpoint_url=running.state.endpoint)
    result = produce(options, session=running.session())
    if not result.complete:
        raise RuntimeError(result.error or "not every event could be sent")
