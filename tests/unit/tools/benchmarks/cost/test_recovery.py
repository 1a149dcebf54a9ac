"""The cost of restoring and verifying many events follows AWS's prices."""

from __future__ import annotations

import pytest

from tools.benchmarks.cost.measured import Measured
from tools.benchmarks.cost.model import OURS
from tools.benchmarks.cost.recovery import recovery_cost


@pytest.fixture(scope="module")
def measured() -> Measured:
    return Measured.load()


def test_ten_times_the_events_cost_ten_times_as_much(measured: Measured) -> None:
    small, large = (recovery_cost(events, 1, measured) for events in (10**7, 10**8))
    for name, value in vars(small).items():
        assert vars(large)[name] == pytest.approx(10 * value), name


def test_a_restore_pays_write_units_and_a_point_in_time_recovery_gigabytes(measured: Measured) -> None:
    cost = recovery_cost(10**9, 1, measured)
    # A unit for the item in a transaction, twice, and one for each of two indexes; $0.625 a million.
    assert cost.restore == pytest.approx(4 * 0.625 * 1000)
    gb = 10**9 * measured.item_bytes(OURS, 1, "valid") / 1024**3
    assert cost.table_gb == pytest.approx(gb)
    assert cost.point_in_time == pytest.approx(0.15 * gb)
    # The table accepts 40,000 units a second: two of each event's four.
    assert cost.restore_hours == pytest.approx(10**9 * 2 / 40_000 / 3600)
