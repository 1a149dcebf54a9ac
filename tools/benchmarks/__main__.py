"""``python -m tools.benchmarks``: run all, or those that BENCH names; ROUNDS and COUNT make them shorter."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from tools.benchmarks import (
    archive,
    cold_start,
    end_to_end,
    environment,
    footprint,
    handler,
    load_test,
    microbenchmarks,
    pages,
    producer,
    results,
    stack_times,
)
from tools.benchmarks.docs import figures
from tools.benchmarks.tables import TABLES
from tools.core.errors import StackError

# The slow ones last.
RUNS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "footprint": footprint.run,
    "cold_start": cold_start.run,
    "handler": handler.run,
    "parts": microbenchmarks.run,
    "producer": producer.run,
    "end_to_end": end_to_end.run,
    "archive": archive.run,
    "headline": load_test.run,
    "stack_times": stack_times.run,
}
_IN_ROUNDS = {"archive", "cold_start", "handler", "parts", "producer", "end_to_end"}


def main(environment: Mapping[str, str]) -> int:
    """Run benchmarks, keep their results, and write them into the documentation. Returns the exit status."""
    chosen = environment.get("BENCH", "").replace(",", " ").split() or list(RUNS)
    unknown = [name for name in chosen if name not in RUNS]
    if unknown:
        return _complain(f"BENCH={unknown[0]} is not known. It is one or more of: {', '.join(RUNS)}")
    options: dict[str, int] = {}
    for name in ("ROUNDS", "COUNT"):
        if text := environment.get(name):
            if not text.isdecimal() or int(text) < 1:
                return _complain(f"{name}={text} is not a whole number above 0, for example {name}=3")
            options[name.lower()] = int(text)
    for name in chosen:
        _run(name, options)
    figures.main()
    return 0


def _run(name: str, options: Mapping[str, int]) -> None:
    fitting = {
        option: value
        for option, value in options.items()
        if (option == "rounds" and name in _IN_ROUNDS) or (option == "count" and name == "headline")
    }
    print(f"{name} ...", flush=True)
    began = time.monotonic()
    where = environment.describe()
    measured = RUNS[name](**fitting)
    results.save(name, measured, where)
    pages.write_chart(name)
    print(f"\n{TABLES[name](measured)}\n\n({time.monotonic() - began:.0f} s)\n", flush=True)


def _complain(message: str) -> int:
    print(message, file=sys.stderr)
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main(os.environ))
    except StackError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("stopped; what was finished is kept in tools/benchmarks/results")
