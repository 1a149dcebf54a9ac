from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.generate.plan import COPY_REACH, Plan, Ratios, Role

KEY = bytes(32)
ratios = st.fractions(0, 1, max_denominator=1000)


def plan(invalid: str = "0", duplicate: str = "0", large: str = "0") -> Plan:
    return Plan(Ratios(Fraction(invalid), Fraction(duplicate), Fraction(large)), KEY)


def count_roles(run_plan: Plan, count: int) -> Counter[Role]:
    return Counter(run_plan.role(number)[0] for number in range(count))


def test_exactly_50_of_1000_messages_are_invalid_at_a_ratio_of_0_05() -> None:
    assert count_roles(plan(invalid="0.05"), 1000) == {Role.VALID: 950, Role.INVALID: 50}


def test_the_invalid_and_duplicate_ratios_apply_to_all_messages() -> None:
    assert count_roles(plan(invalid="0.05", duplicate="0.1"), 1000) == {
        Role.VALID: 850,
        Role.INVALID: 50,
        Role.COPY: 100,
    }


def test_exactly_a_twentieth_of_the_orders_is_large_at_a_ratio_of_0_05() -> None:
    assert sum(map(plan(large="0.05").is_large, range(1000))) == 50


@given(invalid=ratios, duplicate=ratios, valid=st.integers(1, 300))
def test_the_number_of_messages_for_some_valid_events_is_the_smallest(
    invalid: Fraction, duplicate: Fraction, valid: int
) -> None:
    run_plan = Plan(Ratios(invalid / 2, duplicate / 3), KEY)
    count = run_plan.count_for(valid)
    roles = Counter(run_plan.role(number)[0] for number in range(count))
    assert roles[Role.VALID] == run_plan.count_valid(count) == valid
    assert run_plan.role(count - 1)[0] is Role.VALID


@pytest.mark.parametrize("ratio", ["1", "0"])
def test_all_or_no_messages_can_be_invalid(ratio: str) -> None:
    assert count_roles(plan(invalid=ratio), 50)[Role.INVALID] == 50 * int(ratio)


@given(invalid=ratios, duplicate=ratios, count=st.integers(1, 400))
def test_a_ratio_is_never_off_by_more_than_one_message(
    invalid: Fraction, duplicate: Fraction, count: int
) -> None:
    if invalid + duplicate >= 1:
        invalid, duplicate = invalid / 2, duplicate / 3
    counts = count_roles(Plan(Ratios(invalid, duplicate), KEY), count)
    assert counts[Role.COPY] == int(count * duplicate)
    assert abs(counts[Role.INVALID] - count * invalid) <= 1


@given(invalid=ratios, duplicate=ratios, count=st.integers(1, 300))
def test_every_valid_event_is_sent_once_and_before_its_copies(
    invalid: Fraction, duplicate: Fraction, count: int
) -> None:
    if invalid + duplicate >= 1:
        invalid, duplicate = invalid / 2, duplicate / 3
    run_plan = Plan(Ratios(invalid, duplicate), KEY)
    sent: dict[Role, list[int]] = {role: [] for role in Role}
    for number in range(count):
        role, position = run_plan.role(number)
        if role is Role.COPY:
            assert position in sent[Role.VALID][-COPY_REACH:]
        sent[role].append(position)
    assert sent[Role.VALID] == list(range(len(sent[Role.VALID])))
    assert sent[Role.INVALID] == list(range(len(sent[Role.INVALID])))


def test_more_than_half_of_the_copies_are_in_a_later_request() -> None:
    run_plan = plan(duplicate="0.1")
    numbers = {run_plan.role(number): number for number in range(5000)}
    distances = [
        number - numbers[Role.VALID, position]
        for (role, position), number in numbers.items()
        if role is Role.COPY
    ]
    assert sum(distance > 10 for distance in distances) > len(distances) / 2
