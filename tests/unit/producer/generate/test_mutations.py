from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache

import pytest

import contract
from producer.generate.events import MIN_TARGET_BYTES, SEEDED_START, Events, RunSpec
from producer.generate.mutations import MUTATIONS, unknown_event_type
from producer.generate.plan import Ratios

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ALL_INVALID = Ratios(invalid=Fraction(1))


@cache
def all_invalid(target: int) -> Events:
    return Events(RunSpec(7, SEEDED_START, target_bytes=target, ratios=ALL_INVALID))


@pytest.mark.parametrize("target", [0, MIN_TARGET_BYTES, 5000])
@pytest.mark.parametrize("position", range(len(MUTATIONS)), ids=[mutation.name for mutation in MUTATIONS])
def test_the_contract_rejects_every_mutation(position: int, target: int) -> None:
    events = all_invalid(target)
    # Three rounds, so that a mutation of any event type meets several types.
    for number in (position, position + len(MUTATIONS), position + 2 * len(MUTATIONS)):
        message = events.message(number)
        event, violations = contract.read(message.body, NOW)
        assert violations
        assert message.expect == "rejected"
        if message.event_id is not None:
            assert message.event_id == event["event_id"]
        if message.event_type is not None:
            assert message.event_type == event["event_type"]


def test_there_are_at_least_30_mutations_with_unique_names() -> None:
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS) >= 30


def test_mutations_violate_many_different_rules() -> None:
    events = all_invalid(0)
    rules = Counter(
        violation.rule
        for number in range(len(MUTATIONS))
        for violation in contract.read(events.message(number).body, NOW)[1]
    )
    assert {"json", "required", "type", "enum", "format", "not_in_future", "minLength", "maxLength"} <= set(
        rules
    )
    assert {"minimum", "minItems", "pattern", "x-maxDecimals", "amount_equals_items"} <= set(rules)


def test_mutations_are_used_evenly() -> None:
    events = Events(RunSpec(7, SEEDED_START, ratios=Ratios(invalid=Fraction(1, 2))))
    messages = [events.message(number) for number in range(4 * len(MUTATIONS))]
    reasons = Counter(
        str(contract.read(message.body, NOW)[1][0].rule) for message in messages if message.kind == "invalid"
    )
    events = all_invalid(0)
    expected = Counter(
        str(contract.read(events.message(number).body, NOW)[1][0].rule) for number in range(len(MUTATIONS))
    )
    assert reasons == Counter({rule: 2 * count for rule, count in expected.items()})


def test_the_unknown_event_type_is_never_a_type_of_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    assert unknown_event_type() not in contract.EVENT_TYPES
    monkeypatch.setattr(contract, "EVENT_TYPES", (*contract.EVENT_TYPES, unknown_event_type()))
    assert unknown_event_type() not in contract.EVENT_TYPES
