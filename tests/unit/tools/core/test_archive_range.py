"""SINCE= and UNTIL= select a range of the archive."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tools.core.archive_range import ArchiveRange
from tools.core.errors import UsageError

NOW = datetime(2026, 11, 22, 14, 30, tzinfo=UTC)


def at_hour(hour: int, minute: int = 0, day: int = 22) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        ("30m", at_hour(14)),
        ("2d", at_hour(14, 30, day=20)),
        ("2026-11-22", at_hour(0)),
        ("2026-11-22T13:15", at_hour(13, 15)),
        ("2026-11-22T13:15:00+02:00", at_hour(11, 15)),
    ],
)
def test_a_range_begins_at_an_age_a_day_or_a_time(since: str, expected: datetime) -> None:
    assert ArchiveRange.read(since, None, NOW).since == expected


def test_a_range_without_an_end_includes_messages_from_a_clock_ahead() -> None:
    assert ArchiveRange.read("1h", None, NOW).until > NOW


def test_a_short_range_is_listed_by_hour() -> None:
    selected = ArchiveRange(at_hour(13, 59), at_hour(15))
    assert selected.partitions() == ["dt=2026-11-22/hour=13/", "dt=2026-11-22/hour=14/"]
    assert selected.hours() == ("2026-11-22T13", "2026-11-22T14")


def test_a_long_range_is_listed_by_day() -> None:
    assert ArchiveRange(at_hour(23, day=19), at_hour(0, 1)).partitions() == [
        f"dt=2026-11-{day}/" for day in (19, 20, 21, 22)
    ]


@pytest.mark.parametrize(
    "since", ["yesterday", "1w", "2026-13-01", "99999999999d", "d", "0001-01-01T00:00+14:00"]
)
def test_an_invalid_time_is_refused_with_examples(since: str) -> None:
    with pytest.raises(UsageError, match="SINCE=") as refused:
        ArchiveRange.read(since, None, NOW)
    assert "SINCE=" in refused.value.hint


def test_a_range_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(UsageError, match="is not before"):
        ArchiveRange.read("1h", "2h", NOW)


@pytest.mark.parametrize(
    ("since", "until", "listed"),
    [
        ("0001-01-01", None, [""]),
        ("0001-01-01", "9999-12-31T23:59:59", [""]),
        ("9999-12-31T22:30", "9999-12-31T23:59:59", ["dt=9999-12-31/hour=22/", "dt=9999-12-31/hour=23/"]),
        ("9999-12-29", "9999-12-31T23:59:59", [f"dt=9999-12-{day}/" for day in (29, 30, 31)]),
    ],
)
def test_a_range_at_the_end_of_time_is_listed_at_once(
    since: str, until: str | None, listed: list[str]
) -> None:
    assert ArchiveRange.read(since, until, NOW).partitions() == listed


def test_of_a_listing_of_everything_only_keys_of_the_range_are_read() -> None:
    selected = ArchiveRange(at_hour(13, 59), at_hour(15))
    keys = {hour: f"events/type=order/dt=2026-11-22/hour={hour}/x.jsonl.zst" for hour in (12, 13, 14, 15)}
    assert [hour for hour, key in keys.items() if selected.has_key(key)] == [13, 14]
    assert selected.has_key("unreadable/x")
