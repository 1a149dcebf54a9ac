"""Rounds, medians, tables and charts."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from tools.benchmarks.chart import draw_bars
from tools.benchmarks.measure import interleave, spread
from tools.benchmarks.tables import markdown_table


def test_each_round_measures_every_candidate_and_starts_with_the_next_one() -> None:
    order: list[str] = []

    def measure(candidate: str) -> tuple[str, int]:
        order.append(candidate)
        return candidate, (len(order) - 1) // 3

    results = interleave(["a", "b", "c"], 3, measure)
    assert "".join(order) == "abcbcacab"
    assert results[1] == [("b", 0), ("b", 1), ("b", 2)]


def test_a_spread_is_the_median_between_the_lowest_and_the_highest() -> None:
    assert spread([3.0, 1.0, 2.0]) == {"median": 2.0, "low": 1.0, "high": 3.0, "rounds": [3.0, 1.0, 2.0]}


def test_a_chart_is_well_formed_and_names_every_bar() -> None:
    groups = {"1 KB": {"ours & theirs": spread([1, 1.5, 2])}, "2 KB": {"b": spread([0])}}
    svg = draw_bars("Speed <fast>", "ms", groups)
    texts = [element.text for element in ElementTree.fromstring(svg).iter() if element.text]
    assert "ours & theirs" in texts
    assert "1.5 ms" in texts


def test_a_table_is_markdown() -> None:
    assert markdown_table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | ---: |\n| 1 | 2 |"
