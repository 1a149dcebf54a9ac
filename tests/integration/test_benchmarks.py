"""The benchmarks that need a stack run with few events."""

from __future__ import annotations

import pytest

from tools.benchmarks import archive, end_to_end, growth, latency, load_test, scale
from tools.benchmarks.local_stack import start_stack
from tools.benchmarks.tables import TABLES


@pytest.mark.timeout(900)
def test_the_benchmarks_that_need_a_stack_run_on_one() -> None:
    with start_stack(archive=True) as stack:
        # Each design's workers import its packages when they start.
        stack.set_concurrency(2)
        run = load_test.measure(stack, count=12, kb=20)
        scaled = scale.measure(stack, count=20)
        archived = archive.measure_stacks(stack, stack, rounds=1, count=20)
        designs = end_to_end.measure(stack, rounds=1, counts={1: 20})
        latencies = latency.measure(stack, rounds=1, count=10, rates=[])
        workers = growth.measure_workers(stack, rounds=1, count=20, numbers=[2])
    assert set(archived) == {"with", "without"}
    verified = {"holds": True, "stored": 12, "dead_lettered": 0, "findings": 0}
    assert run["verify"] == verified | {"seconds": run["verify"]["seconds"]}
    assert run["peak_mb"].keys() >= {"producer", "verify"}
    assert set(latencies["rates"]) == {"80%"}
    assert latencies["cold"]["ours"]["cold_alert_ms"]["median"] > 0
    assert set(workers["2"]) == {"ours", "powertools"}
    assert 0 < run["bytes_stored"] < run["bytes_sent"] == 12 * 20 * 1024
    assert set(designs["1"]) == {"ours", "original", "powertools", "floor"}
    assert "MB" in TABLES["scale"]({"20": scaled})
    assert "passed" in TABLES["headline"](run)
    assert "Powertools" in TABLES["end_to_end"](designs)
    assert "80% of the slowest" in TABLES["latency"](latencies)
