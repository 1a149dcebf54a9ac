from __future__ import annotations

import pytest

from dashboards.values import Absent, brief, count, formatted, millis, rate, span


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1204, "1,204"), (99_999, "99,999"), (123_456, "123k"), (1_250_000, "1.2M"), (3e9, "3.0G")],
)
def test_counts_are_whole_while_they_are_short(value: float, text: str) -> None:
    assert count(value) == text


@pytest.mark.parametrize(("value", "text"), [(987, "987"), (1204, "1.2k"), (12_040, "12k"), (1e6, "1.0M")])
def test_brief_counts_have_at_most_five_characters(value: float, text: str) -> None:
    assert brief(value) == text


@pytest.mark.parametrize(("value", "text"), [(0, "0/s"), (0.04, "0.0/s"), (1.25, "1.2/s"), (240.4, "240/s")])
def test_small_rates_have_a_decimal(value: float, text: str) -> None:
    assert rate(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (0.5, "0.5 s"), (59, "59 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (1e6, "12 d")],
)
def test_durations_have_the_unit_that_suits_them(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_milliseconds_become_seconds_from_1000_on() -> None:
    assert (millis(999), millis(1400)) == ("999 ms", "1.4 s")


def test_an_absent_figure_is_a_dash_and_never_zero() -> None:
    assert formatted(Absent("not logged"), count) == "\N{EN DASH}"
