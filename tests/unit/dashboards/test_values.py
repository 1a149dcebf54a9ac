from __future__ import annotations

import pytest

from dashboards.values import (
    Absent,
    format_brief,
    format_count,
    format_millis,
    format_rate,
    format_seconds,
    format_value,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1204, "1,204"), (99_999, "99,999"), (123_456, "123k"), (1_250_000, "1.2M"), (3e9, "3.0G")],
)
def test_counts_are_exact_while_they_are_short(value: float, text: str) -> None:
    assert format_count(value) == text


@pytest.mark.parametrize(("value", "text"), [(987, "987"), (1204, "1.2k"), (12_040, "12k"), (1e6, "1.0M")])
def test_brief_counts_have_at_most_five_characters(value: float, text: str) -> None:
    assert format_brief(value) == text


@pytest.mark.parametrize(("value", "text"), [(0, "0/s"), (0.04, "0.0/s"), (1.25, "1.2/s"), (240.4, "240/s")])
def test_rates_below_ten_have_a_decimal(value: float, text: str) -> None:
    assert format_rate(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (0.5, "0.5 s"), (59, "59 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (1e6, "12 d")],
)
def test_durations_use_a_unit_that_keeps_them_short(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


def test_milliseconds_become_seconds_from_1000_on() -> None:
    assert (format_millis(999), format_millis(1400)) == ("999 ms", "1.4 s")


def test_an_absent_value_is_a_dash_and_never_zero() -> None:
    assert format_value(Absent("not logged"), format_count) == "\N{EN DASH}"
