"""The benchmarks that need a stack run with few events."""

from __future__ import annotations

from tools.benchmarks import archive, end_to_end, load_test
from tools.benchmarks.local_stack import start_stack
from tools.benchmarks.tables import TABLES


def test_the_benchmarks_that_need_a_stack_run_on_one() -> None:
    with start_stack() as stack:
        run = load_test.measure(stack, count=12, kb=20)
        designs = end_to_end.measure(stack, rounds=1, counts={1: 20})
        with start_stack(archive=True) as with_archive:
            archived = archive.measure_stacks(stack, with_archive, rounds=1, count=20)
    assert set(archived) == {"with", "without"}
    assert run["verify"] == {"holds": True, "stored": 12, "dead_lettered": 0, "findings": 0}
    assert 0 < run["bytes_stored"] < run["bytes_sent"] == 12 * 20 * 1024
    assert set(designs["1"]) == {"ours", "original", "powertools"}
    assert "passed" in TABLES["headline"](run)
    assert "Powertools" in TABLES["end_to_end"](designs)
