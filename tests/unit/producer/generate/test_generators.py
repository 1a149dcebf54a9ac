from __future__ import annotations

from datetime import UTC, datetime

import pytest

import contract
from producer.generate.catalogue import Catalogue
from producer.generate.generators import GENERATORS
from producer.generate.journeys import Journeys

JOURNEYS = Journeys(7, b"key", Catalogue(), lambda order: order % 2 == 0)


def test_every_event_type_of_the_contract_has_a_generator() -> None:
    assert set(GENERATORS) == set(contract.EVENT_TYPES)


@pytest.mark.parametrize("event_type", contract.EVENT_TYPES)
def test_a_generator_writes_valid_events_of_its_type(event_type: str) -> None:
    common = {
        "event_id": '"event-1"',
        "event_type": f'"{event_type}"',
        "occurred_at": '"2026-01-01T00:00:00Z"',
        "customer_id": '"customer-1"',
    }
    steps = [step for block in range(20) for step in JOURNEYS.block(block) if step.event_type == event_type]
    for step in steps:
        fields = common | GENERATORS[event_type].fields(step)
        body = ",".join(f'"{name}":{value}' for name, value in fields.items())
        assert contract.read(f"{{{body}}}", datetime(2026, 1, 2, tzinfo=UTC))[1] == []


@pytest.mark.parametrize("event_type", contract.EVENT_TYPES)
def test_every_event_type_has_a_share_of_the_valid_events(event_type: str) -> None:
    for block in range(5):
        assert event_type in {step.event_type for step in JOURNEYS.block(block)}
