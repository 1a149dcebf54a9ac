"""Charts show the values that they are given."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest

from tools.analytics import charts
from tools.analytics.charts import Axis
from tools.analytics.output import display_text

START = datetime(2026, 11, 22, 14)  # noqa: DTZ001


def series(*values: float) -> dict[datetime, float]:
    return {START + index * timedelta(hours=1): value for index, value in enumerate(values)}


def heights(html: str) -> list[float]:
    return [float(height) for height in re.findall(r'<rect class="s[^>]*y="[^>]*height="([\d.]+)"', html)]


def axis(*hours: int, end: float = 3) -> Axis:
    """Return the axis of values at these hours after `START`, of a page made at ``end``."""
    return Axis.of([START + hour * timedelta(hours=1) for hour in hours], START + end * timedelta(hours=1))


def gaps(html: str) -> list[tuple[str, str]]:
    return re.findall(r'<rect class="gap" x="(\d+)" width="(\d+)"', html)


def test_all_charts_end_when_the_page_was_made() -> None:
    shown = axis(-20, 0, end=3.5)
    assert (shown.hours[0], shown.hours[-1]) == (START - timedelta(hours=20), START + timedelta(hours=3))
    assert shown.span == "2026-11-21 18:00 to 2026-11-22 17:30 UTC"
    assert len(axis(3).hours) == charts._MIN_HOURS
    # A clock that is ahead of this machine's.
    assert axis(0, 4).hours[-1] == START + timedelta(hours=4)


def test_hours_without_a_value_are_gaps_up_to_the_end_and_not_before_the_first_value() -> None:
    page = charts.draw_panels("t", {"EUR": series(1, 2)}, axis(0, 8, end=8), "", shared=False)
    assert gaps(page) == [("5", "7")]
    assert "16:00 UTC, 7 h without any" in page


def test_an_event_of_another_century_does_not_add_its_hours_and_is_said_to_be_left_out() -> None:
    shown = Axis.of([START, datetime(1970, 1, 1)], START)  # noqa: DTZ001
    assert len(shown.hours) == charts._MIN_HOURS
    groups = {"EUR": {**series(5), datetime(1970, 1, 1): 7.0}}  # noqa: DTZ001
    page = charts.draw_panels("t", groups, shown, "", shared=False)
    assert "1 hours outside of this time are only in the table." in page


def test_the_highest_column_fills_the_chart() -> None:
    assert heights(charts.draw_panels("t", {"EUR": series(5, 10, 0)}, axis(0), "", shared=False)) == [50, 100]


def test_panels_are_comparable_on_a_shared_scale_and_each_is_full_without_one() -> None:
    groups = {"a": series(50), "b": series(100)}
    assert heights(charts.draw_panels("t", groups, axis(0), "%", shared=True)) == [50, 100]
    assert heights(charts.draw_panels("t", groups, axis(0), "%", shared=False)) == [100, 100]


def test_a_chart_is_named_by_its_title_its_time_and_its_maximum() -> None:
    page = charts.draw_panels("Revenue", {"EUR": series(1234)}, axis(0), "", shared=False)
    assert (
        'aria-label="Revenue, EUR, 2026-11-22 06:00 to 2026-11-22 17:00 UTC, at most 1,234 an hour"' in page
    )


def test_a_stack_is_as_high_as_its_sum_and_small_groups_are_merged() -> None:
    groups = {f"rule_{n}": series(10 - n) for n in range(9)}
    page = charts.draw_stack("t", groups, axis(0))
    assert sum(heights(page)) == pytest.approx(100, abs=0.1)
    assert len(heights(page)) == charts.COLORS
    assert page.count("<li>") == charts.COLORS
    assert ">other<" in page


def test_groups_are_not_merged_if_there_is_a_color_for_each() -> None:
    groups = {f"rule_{n}": series(1) for n in range(charts.COLORS)}
    assert ">other<" not in charts.draw_stack("t", groups, axis(0))


def test_zeros_are_not_drawn() -> None:
    assert heights(charts.draw_panels("t", {"card": series(0, 0)}, axis(0), "%", shared=True)) == []
    assert 'width="0.00"' in charts.draw_bars([("a", 0, "0")])


def test_names_are_escaped() -> None:
    drawn = charts.draw_bars([("<b>", 1, "<i>")]) + charts.draw_panels(
        "<u>", {"<u>": series(1)}, axis(0), "", shared=True
    )
    assert not re.search(r"<(b|u)>", drawn)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, ""), (True, "yes"), (1234567, "1,234,567"), (0.5, "0.5"), (["a", 1], '["a", 1]')],
)
def test_values_are_shown_for_people(value: object, expected: str) -> None:
    assert display_text(value) == expected
