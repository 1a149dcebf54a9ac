"""Measure the memory and the time of verify, erase and restore as the tables grow."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.benchmarks.fixtures import SEED
from tools.benchmarks.load_test import run_command
from tools.benchmarks.local_stack import LocalStack, start_stack
from tools.core.paths import ROOT

COUNTS = (10_000, 100_000)
_TIMEOUT_SECONDS = 3_600.0
_RATIOS = ("--invalid-ratio", "0.02", "--duplicate-ratio", "0.02")
# MiniStack looks at every waiting message to find one: a queue of 60,000 is drained at 13 a second.
_RATE = "250"


def run(counts: Sequence[int] = COUNTS, count: int | None = None) -> dict[str, Any]:
    """Return seconds, rows of the command and peak MB by command, for each number of events of 1 KB."""
    measured = {}
    for events in (count,) if count else counts:
        with start_stack(archive=True) as stack:
            measured[f"{events}"] = measure(stack, events)
    return measured


def measure(stack: LocalStack, count: int) -> dict[str, Any]:
    """Send events to a stack that has stored nothing yet, and run the commands on them."""
    measured: dict[str, Any] = {}
    environment = {"STACK_DIR": str(stack.state_dir)}
    with tempfile.TemporaryDirectory() as temporary:
        manifest = str(Path(temporary) / "scale.jsonl")
        run_command(
            *(str(ROOT / "producer" / "send_test_events.py"), "--queue-url", stack.queue_url),
            *("--manifest", manifest, "--count", str(count), "--seed", str(SEED), *_RATIOS),
            *("--rate", _RATE),
            environment=stack.state.environment(),
        )
        stack.wait_until_drained(_TIMEOUT_SECONDS)

        def tool(*arguments: str) -> None:
            start = time.perf_counter()
            _, peak = run_command("-m", "tools.ops", *arguments, environment=environment)
            seconds = round(time.perf_counter() - start, 1)
            measured[" ".join(arguments[:2])] = {"seconds": seconds, "peak_mb": peak}

        run = ("--manifest", manifest, "--auto-approve")
        tool("verify", *run, "--wait", str(_TIMEOUT_SECONDS))
        tool("verify", *run)
        tool("verify", "--all", *run)
        tool("erase", "--dry-run", "--customer", stack.any_customer())
        stack.delete_events()
        tool("restore", "--auto-approve")
    return measured
