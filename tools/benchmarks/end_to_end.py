"""Measure the time from the first event sent until the queue is empty, on the embedded emulator."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

from producer.options import Options
from producer.run import produce
from producer.send.target import Target
from tools.benchmarks import fixtures
from tools.benchmarks.designs import DESIGNS, OURS, Design
from tools.benchmarks.local_stack import LocalStack, start_stack
from tools.benchmarks.measure import compare
from tools.benchmarks.senders import finished_requests, send_requests

COUNTS = {1: 2_000, 20: 1_000, 200: 300}
# As many as the producer uses.
_CONNECTIONS = 2
_TIMEOUT_SECONDS = 300.0


def run(rounds: int = 5, count: int = COUNTS[1]) -> dict[str, Any]:
    """Return events per second by size in KB and by design. At most ``count`` events are sent of a size."""
    with start_stack() as stack:
        return measure(stack, rounds, {kb: min(count, usual) for kb, usual in COUNTS.items()})


def measure(stack: LocalStack, rounds: int, counts: Mapping[int, int]) -> dict[str, Any]:
    """Measure on a running stack, and deploy this pipeline's own code at the end."""
    stack.allow_batch_writes()
    try:
        return {f"{kb}": compare_designs(stack, DESIGNS, rounds, kb, count) for kb, count in counts.items()}
    finally:
        stack.deploy(OURS)


def compare_designs(
    stack: LocalStack, designs: Sequence[Design], rounds: int, kb: int, count: int
) -> dict[str, Any]:
    """Deploy each design and send events to it. Return events/s, and the CPU milliseconds per event."""
    candidates = {design.name: design for design in designs}
    return compare(candidates, rounds, lambda design: _send_to(stack, design, kb, count))


def _send_to(stack: LocalStack, design: Design, kb: int, count: int) -> dict[str, float]:
    deploy_and_warm_up(stack, design)
    target = Target.find(stack.queue_url, stack.state.endpoint, stack.session())
    requests = finished_requests(target, islice(fixtures.generate_bodies(kb), count))
    emulator, workers = stack.cpu_seconds()
    start = time.perf_counter()
    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        list(pool.map(lambda n: send_requests(target, requests[n::_CONNECTIONS]), range(_CONNECTIONS)))
    sent = time.perf_counter() - start
    drained = max(sent, stack.wait_until_drained(_TIMEOUT_SECONDS) - start)
    emulator_after, workers_after = stack.cpu_seconds()
    stored = stack.count_stored()
    if stored != count:
        raise RuntimeError(f"{design.title} stored {stored} of {count} events of {kb} KB")
    if stack.count_stored_by_ours() != (count if design is OURS else 0):
        raise RuntimeError(f"another design than {design.title} was measured")
    stack.delete_events()
    return {
        "events_per_second": count / drained,
        "sent_seconds": sent,
        "drained_seconds": drained,
        "emulator_cpu_ms": 1000 * (emulator_after - emulator) / count,
        "workers_cpu_ms": 1000 * (workers_after - workers) / count,
    }


def deploy_and_warm_up(stack: LocalStack, design: Design) -> None:
    """Deploy a design and start its workers, because cold starts are measured elsewhere."""
    stack.deploy(design)
    warm_up(stack)


def warm_up(stack: LocalStack) -> None:
    """Start the workers of the deployed design."""
    produce_events(stack, kb=1, count=50, seed=fixtures.SEED + 1)
    stack.wait_until_drained(_TIMEOUT_SECONDS)
    stack.delete_events()


def produce_events(stack: LocalStack, kb: int, count: int, seed: int) -> None:
    """Send events to a stack with the producer. Raises RuntimeError unless all of them were sent."""
    options = Options(stack.queue_url, count, target_kb=kb, seed=seed, endpoint_url=stack.state.endpoint)
    result = produce(options, session=stack.session())
    if not result.complete:
        raise RuntimeError(result.error or "not every event could be sent")
