from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache

import pytest

import contract
from producer.generate.events import MIN_TARGET_BYTES, SEEDED_START, Events, RunSpec
from producer.generate.faults import FAULTS
from producer.generate.plan import Ratios

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ALL_INVALID = Ratios(invalid=Fraction(1))


@cache
def all_invalid(target: int) -> Events:
    return Events(RunSpec(7, SEEDED_START, target_bytes=target, shares=ALL_INVALID))


@pytest.mark.parametrize("target", [0, MIN_TARGET_BYTES, 5000])
@pytest.mark.parametrize("which", range(len(FAULTS)), ids=[fault.name for fault in FAULTS])
def test_the_contract_rejects(which: int, target: int) -> None:
    events = all_invalid(target)
    # Three rounds, so that faults of any event type have met each.
    for number in (which, which + len(FAULTS), which + 2 * len(FAULTS)):
        message = events.message(number)
        event, violations = contract.read(message.body, NOW)
        assert violations
        assert message.expect == "rejected"
        if message.event_id is not None:
            assert message.event_id == event["event_id"]
        if message.event_type is not None:
            assert message.event_type == event["event_type"]


def test_faults_are_of_many_kinds_and_none_twice() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 30


def test_faults_lead_to_many_different_reasons() -> None:
    events = all_invalid(0)
    rules = Counter(
        violation.rule
        for number in range(len(FAULTS))
        for violation in contract.read(events.message(number).body, NOW)[1]
    )
    assert {"json", "required", "type", "enum", "format", "not_in_future", "minLength", "maxLength"} <= set(
        rules
    )
    assert {"minimum", "minItems", "pattern", "x-maxDecimals", "amount_equals_items"} <= set(rules)


def test_faults_are_mixed_evenly() -> None:
    events = Events(RunSpec(7, SEEDED_START, shares=Ratios(invalid=Fraction(1, 2))))
    sent = [events.message(number) for number in range(4 * len(FAULTS))]
    reasons = Counter(
        str(contract.read(message.body, NOW)[1][0].rule) for message in sent if message.kind == "invalid"
    )
    once = all_invalid(0)
    expected = Counter(
        str(contract.read(once.message(number).body, NOW)[1][0].rule) for number in range(len(FAULTS))
    )
    assert reasons == Counter({rule: 2 * count for rule, count in expected.items()})
