"""The benchmarks that need a stack run, at a tiny size, so that they do not rot."""

from __future__ import annotations

from tools.benchmarks import archive, end_to_end, load_test
from tools.benchmarks.tables import TABLES
from tools.benchmarks.worker_process import stack


def test_the_benchmarks_that_need_a_stack_run_on_one() -> None:
    with stack() as running:
        run = load_test.measure(running, count=12, kb=20)
        rivals = end_to_end.measure(running, rounds=1, counts={1: 20})
    with stack(archive=True) as with_it, stack() as without:
        archived = archive.end_to_end(without, with_it, rounds=1, count=20)
    assert set(archived) == {"with", "without"}
    assert run["verify"] == {"holds": True, "stored": 12, "dead_lettered": 0, "findings": 0}
    assert 0 < run["bytes_stored"] < run["bytes_sent"] == 12 * 20 * 1024
    assert set(rivals["1"]) == {"ours", "original", "powertools"}
    assert "holds" in TABLES["headline"](run)
    assert "Powertools" in TABLES["end_to_end"](rivals)
