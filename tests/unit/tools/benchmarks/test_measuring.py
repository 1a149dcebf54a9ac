"""Rounds, medians, charts."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from tools.benchmarks.chart import Bar, bars
from tools.benchmarks.measure import in_turn, spread
from tools.benchmarks.tables import table


def test_everyone_is_measured_once_a_round_and_another_one_begins_each() -> None:
    order: list[str] = []

    def measure(one: str, number: int) -> tuple[str, int]:
        order.append(one)
        return one, number

    results = in_turn(["a", "b", "c"], 3, measure)
    assert "".join(order) == "abcbcacab"
    assert results[1] == [("b", 0), ("b", 1), ("b", 2)]


def test_a_spread_is_the_median_between_the_lowest_and_the_highest() -> None:
    assert spread([3.0, 1.0, 2.0]) == {"median": 2.0, "low": 1.0, "high": 3.0, "rounds": [3.0, 1.0, 2.0]}


def test_a_chart_is_well_formed_and_names_every_bar() -> None:
    svg = bars("Speed <fast>", "ms", {"1 KB": [Bar("ours & theirs", 1.5, 1, 2)], "2 KB": [Bar("b", 0, 0, 0)]})
    texts = [element.text for element in ElementTree.fromstring(svg).iter() if element.text]
    assert "ours & theirs" in texts
    assert "1.5 ms" in texts


def test_a_table_is_markdown() -> None:
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | ---: |\n| 1 | 2 |"
