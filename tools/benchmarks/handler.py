"""Handler CPU per event, against a sink that answers at once."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tools.benchmarks import fixtures
from tools.benchmarks.designs import ALL
from tools.benchmarks.hosting import WorkerProcess
from tools.benchmarks.measure import in_turn, spread
from tools.benchmarks.mock_aws import MockAws

SIZES = (1, 20, 200)
# Bytes of events that one measurement handles: some 0.2 s of CPU at every size.
_BYTES = 20 * 1024 * 1024
_MOST_BATCHES = 40


def run(rounds: int = 9, sizes: Sequence[int] = SIZES, batches: int | None = None) -> dict[str, Any]:
    """CPU milliseconds per event by size in KB and by design; ``batches`` of 10 events in a measurement."""
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as running:
        sink = running.enter_context(MockAws())
        hosts = [
            running.enter_context(WorkerProcess(design, Path(temporary) / design.name, sink.endpoint))
            for design in ALL
        ]
        return {f"{kb}": _measure(hosts, kb, rounds, batches, Path(temporary)) for kb in sizes}


def _measure(
    hosts: list[WorkerProcess], kb: int, rounds: int, batches: int | None, directory: Path
) -> dict[str, Any]:
    wanted = batches or max(1, min(_MOST_BATCHES, _BYTES // (kb * fixtures.KB * fixtures.BATCH)))
    events = directory / f"events-{kb}.jsonl"
    fixtures.write_lambda_events(events, kb, wanted)
    for host in hosts:
        host.run(events)  # connections, caches, the allocator's arenas

    def measure(host: WorkerProcess, _: int) -> dict[str, Any]:
        return host.run(events)

    results = in_turn(hosts, rounds, measure)
    return {
        host.design.name: {
            "cpu_ms": spread([1000 * one["cpu"] / one["records"] for one in measured]),
            "wall_ms": spread([1000 * one["wall"] / one["records"] for one in measured]),
        }
        for host, measured in zip(hosts, results, strict=True)
    }
