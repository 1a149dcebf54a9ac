from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import SCHEMA
from producer.generate.plan import COPY_REACH, EVENT_MIX, Plan, Ratios, Role

KEY = bytes(32)
ratios = st.fractions(0, 1, max_denominator=1000)


def plan(invalid: str = "0", duplicate: str = "0", large: str = "0") -> Plan:
    return Plan(Ratios(Fraction(invalid), Fraction(duplicate), Fraction(large)), KEY)


def roles(of: Plan, count: int) -> Counter[Role]:
    return Counter(of.role(number)[0] for number in range(count))


def test_the_mix_is_of_the_types_that_the_contract_knows() -> None:
    assert set(EVENT_MIX) == set(SCHEMA["properties"]["event_type"]["enum"])


def test_of_1000_messages_at_a_ratio_of_0_05_exactly_50_are_invalid() -> None:
    assert roles(plan(invalid="0.05"), 1000) == {Role.VALID: 950, Role.INVALID: 50}


def test_both_ratios_are_shares_of_all_messages() -> None:
    assert roles(plan(invalid="0.05", duplicate="0.1"), 1000) == {
        Role.VALID: 850,
        Role.INVALID: 50,
        Role.COPY: 100,
    }


def test_valid_events_are_40_percent_orders_20_percent_payments_40_percent_activities() -> None:
    made = plan()
    types = Counter(made.valid_event(number)[0] for number in range(1000))
    assert types == {"order": 400, "payment": 200, "activity": 400}


def test_the_large_ratio_is_a_share_of_the_orders() -> None:
    made = plan(large="0.05")
    events = [made.valid_event(number) for number in range(1000)]
    assert sum(large for _, large in events) == 20
    assert {event_type for event_type, large in events if large} == {"order"}


def test_types_do_not_come_in_the_same_order_again_and_again() -> None:
    made = plan()
    types = [made.valid_event(number)[0] for number in range(100)]
    assert len({tuple(types[block : block + 5]) for block in range(0, 100, 5)}) > 5


@pytest.mark.parametrize("ratio", ["1", "0"])
def test_all_or_none_can_be_invalid(ratio: str) -> None:
    assert roles(plan(invalid=ratio), 50)[Role.INVALID] == 50 * int(ratio)


@given(invalid=ratios, duplicate=ratios, count=st.integers(1, 400))
def test_a_share_is_never_off_by_more_than_a_message(
    invalid: Fraction, duplicate: Fraction, count: int
) -> None:
    if invalid + duplicate >= 1:
        invalid, duplicate = invalid / 2, duplicate / 3
    found = roles(Plan(Ratios(invalid, duplicate), KEY), count)
    assert found[Role.COPY] == int(count * duplicate)
    assert abs(found[Role.INVALID] - count * invalid) <= 1


@given(invalid=ratios, duplicate=ratios, count=st.integers(1, 300))
def test_every_valid_event_is_sent_once_and_copied_only_afterwards(
    invalid: Fraction, duplicate: Fraction, count: int
) -> None:
    if invalid + duplicate >= 1:
        invalid, duplicate = invalid / 2, duplicate / 3
    made = Plan(Ratios(invalid, duplicate), KEY)
    sent: dict[Role, list[int]] = {role: [] for role in Role}
    for number in range(count):
        role, which = made.role(number)
        if role is Role.COPY:
            assert which in sent[Role.VALID][-COPY_REACH:]
        sent[role].append(which)
    assert sent[Role.VALID] == list(range(len(sent[Role.VALID])))
    assert sent[Role.INVALID] == list(range(len(sent[Role.INVALID])))


def test_copies_often_follow_in_a_later_request() -> None:
    made = plan(duplicate="0.1")
    places = {made.role(number): number for number in range(5000)}
    distances = [
        number - places[Role.VALID, which] for (role, which), number in places.items() if role is Role.COPY
    ]
    assert sum(distance > 10 for distance in distances) > len(distances) / 2
