"""What the charts show, whatever the figures are."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest

from tools.analytics import charts
from tools.analytics.output import text

START = datetime(2026, 11, 22, 14)  # noqa: DTZ001


def series(*values: float) -> dict[datetime, float]:
    return {START + place * timedelta(hours=1): value for place, value in enumerate(values)}


def heights(html: str) -> list[float]:
    return [float(height) for height in re.findall(r'<rect [^>]*height="([\d.]+)"', html)]


def test_an_hour_in_which_nothing_happened_is_a_gap() -> None:
    assert charts.hours([START, START + timedelta(hours=3)])[1:3] == [
        START + timedelta(hours=1),
        START + timedelta(hours=2),
    ]


def test_the_highest_column_fills_the_chart() -> None:
    assert heights(charts.panels({"EUR": series(5, 10, 0)}, "", one_scale=False)) == [50, 100]


def test_on_one_scale_panels_can_be_compared_and_on_their_own_each_is_full() -> None:
    groups = {"a": series(50), "b": series(100)}
    assert heights(charts.panels(groups, "%", one_scale=True)) == [50, 100]
    assert heights(charts.panels(groups, "%", one_scale=False)) == [100, 100]


def test_a_stack_is_as_high_as_its_sum_and_small_groups_are_one() -> None:
    groups = {f"rule_{n}": series(10 - n) for n in range(9)}
    page = charts.stacked(groups, "")
    assert sum(heights(page)) == pytest.approx(100, abs=0.1)
    assert len(heights(page)) == charts.COLOURS
    assert page.count("<li>") == charts.COLOURS
    assert ">other<" in page


def test_as_many_groups_as_colours_all_have_their_name() -> None:
    groups = {f"rule_{n}": series(1) for n in range(charts.COLOURS)}
    assert ">other<" not in charts.stacked(groups, "")


def test_nothing_but_zeros_is_drawn_as_nothing() -> None:
    assert heights(charts.panels({"card": series(0, 0)}, "%", one_scale=True)) == []
    assert "width:0.00%" in charts.bars([("a", 0, "0")])


def test_names_cannot_leave_their_place() -> None:
    drawn = charts.bars([("<b>", 1, "<i>")]) + charts.panels({"<u>": series(1)}, "", one_scale=True)
    assert not re.search(r"<(b|u)>", drawn)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, ""), (True, "yes"), (1234567, "1,234,567"), (0.5, "0.5"), (["a", 1], '["a", 1]')],
)
def test_values_read_well(value: object, shown: str) -> None:
    assert text(value) == shown
