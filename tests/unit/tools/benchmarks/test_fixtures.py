from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice

import pytest

import contract
from tools.benchmarks.fixtures import INVALID, KB, LARGE, VALID, generate_bodies

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_the_measured_bodies_never_change() -> None:
    """Results before and after a change of these bodies do not compare."""
    bodies = "".join(body for kb in (1, 20, 200) for body in islice(generate_bodies(kb), 100))
    assert sha256(bodies.encode()).hexdigest() == (
        "3ebe8e054a3ea0abf28f4de4e4d81f96246f075d227aab029112cdee8b7a2e44"
    )


@pytest.mark.parametrize("kb", [1, 8, 200, 1000])
@pytest.mark.parametrize("kind", [None, VALID, LARGE, INVALID])
def test_a_body_has_its_size_and_kind(kb: int, kind: str | None) -> None:
    for body in islice(generate_bodies(kb, kind), 20):
        event, violations = contract.read(body, NOW)
        assert len(body.encode()) == kb * KB
        assert bool(violations.total) == (kind == INVALID)
        if kind == LARGE:
            assert event["amount"] > 1000
