"""Charts show the values that they are given."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest

from tools.analytics import charts
from tools.analytics.output import display_text

START = datetime(2026, 11, 22, 14)  # noqa: DTZ001


def series(*values: float) -> dict[datetime, float]:
    return {START + index * timedelta(hours=1): value for index, value in enumerate(values)}


def heights(html: str) -> list[float]:
    return [float(height) for height in re.findall(r'<rect [^>]*height="([\d.]+)"', html)]


def test_an_hour_without_events_is_a_gap() -> None:
    assert charts.hour_axis([START, START + timedelta(hours=3)])[1:3] == [
        START + timedelta(hours=1),
        START + timedelta(hours=2),
    ]


def test_an_event_of_another_century_does_not_add_its_hours() -> None:
    old = datetime(1970, 1, 1)  # noqa: DTZ001
    assert charts.hour_axis([START, old, START + timedelta(hours=3)]) == [
        old,
        START,
        START + timedelta(hours=3),
    ]
    many = [START + n * timedelta(hours=2) for n in range(10_000)]
    assert charts.hour_axis(many) == many[-charts._MAX_HOURS :]


def test_the_highest_column_fills_the_chart() -> None:
    assert heights(charts.draw_panels({"EUR": series(5, 10, 0)}, "", shared_scale=False)) == [50, 100]


def test_panels_are_comparable_on_a_shared_scale_and_each_is_full_without_one() -> None:
    groups = {"a": series(50), "b": series(100)}
    assert heights(charts.draw_panels(groups, "%", shared_scale=True)) == [50, 100]
    assert heights(charts.draw_panels(groups, "%", shared_scale=False)) == [100, 100]


def test_a_stack_is_as_high_as_its_sum_and_small_groups_are_merged() -> None:
    groups = {f"rule_{n}": series(10 - n) for n in range(9)}
    page = charts.draw_stack(groups, "")
    assert sum(heights(page)) == pytest.approx(100, abs=0.1)
    assert len(heights(page)) == charts.COLORS
    assert page.count("<li>") == charts.COLORS
    assert ">other<" in page


def test_groups_are_not_merged_if_there_is_a_color_for_each() -> None:
    groups = {f"rule_{n}": series(1) for n in range(charts.COLORS)}
    assert ">other<" not in charts.draw_stack(groups, "")


def test_zeros_are_not_drawn() -> None:
    assert heights(charts.draw_panels({"card": series(0, 0)}, "%", shared_scale=True)) == []
    assert "width:0.00%" in charts.draw_bars([("a", 0, "0")])


def test_names_are_escaped() -> None:
    drawn = charts.draw_bars([("<b>", 1, "<i>")]) + charts.draw_panels(
        {"<u>": series(1)}, "", shared_scale=True
    )
    assert not re.search(r"<(b|u)>", drawn)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, ""), (True, "yes"), (1234567, "1,234,567"), (0.5, "0.5"), (["a", 1], '["a", 1]')],
)
def test_values_are_shown_for_people(value: object, expected: str) -> None:
    assert display_text(value) == expected
