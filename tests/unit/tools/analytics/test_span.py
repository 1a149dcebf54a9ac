"""SINCE= and UNTIL=."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tools.analytics.report_range import ReportRange
from tools.core.errors import UsageError

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)


def at(hour: int, minute: int = 0, day: int = 22) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "begin"),
    [
        ("30m", at(14)),
        ("2d", at(14, 30, day=20)),
        ("2026-11-22", at(0)),
        ("2026-11-22T13:15", at(13, 15)),
        ("2026-11-22T13:15:00+02:00", at(11, 15)),
    ],
)
def test_a_span_begins_at_a_duration_a_day_or_a_time(since: str, begin: datetime) -> None:
    assert ReportRange.of(since, None, NOW).since == begin


def test_without_an_end_it_holds_what_comes_just_now() -> None:
    assert ReportRange.of("1h", None, NOW).until > NOW


def test_a_short_span_is_listed_by_its_hours() -> None:
    span = ReportRange(at(13, 59), at(15))
    assert span.partitions() == ["dt=2026-11-22/hour=13/", "dt=2026-11-22/hour=14/"]
    assert span.hours() == ("2026-11-22T13", "2026-11-22T14")


def test_a_long_span_is_listed_by_its_days() -> None:
    assert ReportRange(at(23, day=19), at(0, 1)).partitions() == [
        f"dt=2026-11-{day}/" for day in (19, 20, 21, 22)
    ]


@pytest.mark.parametrize(
    "since", ["yesterday", "1w", "2026-13-01", "99999999999d", "d", "0001-01-01T00:00+14:00"]
)
def test_what_is_no_time_is_refused_with_examples(since: str) -> None:
    with pytest.raises(UsageError, match="SINCE=") as refused:
        ReportRange.of(since, None, NOW)
    assert "SINCE=" in refused.value.hint


def test_a_span_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(UsageError, match="is not before"):
        ReportRange.of("1h", "2h", NOW)
