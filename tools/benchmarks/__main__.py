"""``python -m tools.benchmarks``: run all benchmarks, or those in BENCH. ROUNDS and COUNT shorten them."""

import inspect
import os
import time
from collections.abc import Callable, Mapping
from subprocess import SubprocessError
from typing import Any

from tools.benchmarks import (
    archive,
    cold_start,
    end_to_end,
    footprint,
    growth,
    handler,
    latency,
    load_test,
    microbenchmarks,
    pages,
    producer,
    results,
    scale,
    stack_times,
)
from tools.benchmarks.docs.pages import MEASURED, write
from tools.benchmarks.tables import TABLES
from tools.core.errors import ToolError, UsageError
from tools.core.program import print_error, start

# Slow benchmarks come last.
BENCHMARKS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "footprint": footprint.run,
    "cold_start": cold_start.run,
    "handler": handler.run,
    "parts": microbenchmarks.run,
    "producer": producer.run,
    "end_to_end": end_to_end.run,
    "latency": latency.run,
    "growth": growth.run,
    "archive": archive.run,
    "headline": load_test.run,
    "scale": scale.run,
    "stack_times": stack_times.run,
}


def main(environment: Mapping[str, str]) -> int:
    """Run benchmarks, save their results, and write them into the documentation. Return the exit status."""
    try:
        chosen, options = _chosen(environment)
        for name in chosen:
            _run(name, options)
        write(MEASURED)
    except ToolError as error:
        return print_error(error)
    except KeyboardInterrupt:
        return print_error(
            ToolError("Stopped. The results of finished benchmarks are in tools/benchmarks/results.")
        )
    return 0


def _chosen(environment: Mapping[str, str]) -> tuple[list[str], dict[str, int]]:
    """Return the names of the benchmarks, and what shortens them. Raises UsageError."""
    chosen = environment.get("BENCH", "").replace(",", " ").split() or list(BENCHMARKS)
    unknown = [name for name in chosen if name not in BENCHMARKS]
    if unknown:
        raise UsageError(f"BENCH={unknown[0]} is unknown.", f"Choose from: {', '.join(BENCHMARKS)}")
    options: dict[str, int] = {}
    for name in ("ROUNDS", "COUNT"):
        if text := environment.get(name):
            if not text.isdecimal() or int(text) < 1:
                raise UsageError(f"{name}={text} is not a whole number above 0.", f"For example: {name}=3")
            options[name.lower()] = int(text)
    return chosen, options


def _run(name: str, options: Mapping[str, int]) -> None:
    known = inspect.signature(BENCHMARKS[name]).parameters
    applicable = {option: value for option, value in options.items() if option in known}
    print(f"{name} ...", flush=True)
    start = time.monotonic()
    described = results.describe_environment()
    try:
        measured = BENCHMARKS[name](**applicable)
    except (RuntimeError, TimeoutError, SubprocessError) as error:
        raise ToolError(
            f"The benchmark {name} failed: {error}",
            f"Its last results are kept. Run it alone: make bench BENCH={name}",
        ) from error
    results.save(name, measured, described)
    pages.write_chart(name)
    print(f"\n{TABLES[name](measured)}\n\n({time.monotonic() - start:.0f} s)\n", flush=True)


if __name__ == "__main__":
    start(lambda: main(os.environ))
