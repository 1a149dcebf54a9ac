from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tools.core.errors import UsageError
from tools.core.time_range import TimeRange, parse_duration

NOW = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)
RANGE = TimeRange(datetime(2026, 11, 22, 14, tzinfo=UTC), datetime(2026, 11, 22, 15, tzinfo=UTC))


@pytest.mark.parametrize(
    ("since", "until", "time_range"),
    [
        ("2026-11-22T14:00", "2026-11-22T15:00", RANGE),
        ("2026-11-22T15:00+01:00", "30m", RANGE),
        ("90m", "2026-11-22T15:00:00Z", RANGE),
        ("2026-11-22", None, TimeRange(datetime(2026, 11, 22, tzinfo=UTC), NOW)),
    ],
)
def test_a_time_range_is_two_times_or_ages(since: str, until: str | None, time_range: TimeRange) -> None:
    assert TimeRange.read(since, until, NOW) == time_range


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        (None, None, "SINCE is missing"),
        ("yesterday", None, "SINCE=yesterday is neither"),
        ("99999999999d", None, "less than a century"),
        ("0001-01-01T00:00+14:00", None, "less than a century"),
        ("2h", "soon", "UNTIL=soon is neither"),
        ("1h", "2h", "is not before"),
    ],
)
def test_an_invalid_time_range_is_refused(since: str | None, until: str | None, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        TimeRange.read(since, until, NOW)


def test_durations_are_parsed_and_other_text_is_refused() -> None:
    assert [parse_duration(text) for text in ("90s", "15m", "1h", "2d")] == [90, 900, 3600, 172_800]
    with pytest.raises(UsageError, match="SINCE=1w"):
        parse_duration("1w")


@pytest.mark.parametrize("digits", ["9" * 5000, "\uff19", "\u0663", "1_0", "+1", ""])
def test_a_duration_has_a_few_ascii_digits(digits: str) -> None:
    with pytest.raises(UsageError, match="is not a duration"):
        parse_duration(f"{digits}s")
