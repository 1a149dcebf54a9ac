from __future__ import annotations

import json
import zlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import contract
from producer.generate.events import MIN_TARGET_BYTES, SEEDED_SPACING_US, SEEDED_START, Events, RunSpec
from producer.generate.messages import Message
from producer.generate.plan import Ratios

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MIXED = Ratios(Fraction("0.1"), Fraction("0.1"), Fraction("0.2"))
THRESHOLD = Decimal(1000)


def seeded(seed: int = 7, target_bytes: int = 0, ratios: Ratios = MIXED) -> RunSpec:
    return RunSpec(seed, SEEDED_START, SEEDED_SPACING_US, target_bytes, ratios)


def messages(spec: RunSpec, count: int) -> list[Message]:
    events = Events(spec)
    return [events.message(number) for number in range(count)]


def decoded(spec: RunSpec, count: int, kind: str) -> list[dict[str, Any]]:
    return [contract.decode(each.body) for each in messages(spec, count) if each.kind == kind]


def test_a_seed_gives_these_bytes_on_every_machine_and_in_every_version_of_python() -> None:
    digest = sha256()
    for size in (0, 4096):
        for message in messages(seeded(target_bytes=size), 300):
            digest.update(message.body.encode())
    assert digest.hexdigest() == "d4ff5499ffe198e010cfecac40b581eb5fafeaad711ca4adb2e7aa9f80b338e1"


def test_a_message_is_the_same_in_every_process_and_in_any_order() -> None:
    forwards = [message.body for message in messages(seeded(), 200)]
    other = Events(seeded())
    backwards = [other.message(number).body for number in reversed(range(200))]
    assert forwards == backwards[::-1]


@pytest.mark.parametrize(
    "other",
    [
        seeded(seed=8),
        seeded(target_bytes=2048),
        seeded(ratios=Ratios()),
        RunSpec(7, NOW, SEEDED_SPACING_US, 0, MIXED),
    ],
    ids=["seed", "size", "ratios", "start"],
)
def test_runs_with_different_specifications_share_no_event_id(other: RunSpec) -> None:
    ids = {message.event_id for message in messages(seeded(), 300)}
    assert not ids & {message.event_id for message in messages(other, 300)} - {None, "", "e" * 129}


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**64),
    target=st.sampled_from([0, MIN_TARGET_BYTES, 1500, 5000]),
    number=st.integers(0, 10**9),
)
def test_every_message_matches_its_description(seed: int, target: int, number: int) -> None:
    events = Events(seeded(seed, target))
    for message in map(events.message, range(number, number + 20)):
        event, violations = contract.read(message.body, NOW)
        assert bool(violations) == (message.expect == "rejected")
        assert message.content_hash == contract.content_hash(message.body)
        assert message.size == len(message.body.encode())
        if message.kind != "invalid":
            assert message.event_id == event["event_id"]
            assert message.event_type == event["event_type"]
            assert message.large_order == contract.is_large_order(event, THRESHOLD)


@settings(max_examples=10, deadline=None)
@given(target=st.integers(MIN_TARGET_BYTES, 100_000), number=st.integers(0, 10**6))
def test_every_body_has_exactly_the_target_size(target: int, number: int) -> None:
    events = Events(seeded(target_bytes=target))
    assert {events.message(n).size for n in range(number, number + 50)} == {target}


@pytest.mark.parametrize(("seed", "number"), [(7, 351), (7, 52_982), (8, 70_688)])
def test_a_long_order_fits_into_the_smallest_body(seed: int, number: int) -> None:
    message = Events(seeded(seed, MIN_TARGET_BYTES)).message(number)
    assert message.size == len(message.body) == MIN_TARGET_BYTES
    assert '"sku"' in message.body


def test_a_message_can_have_the_maximum_size_of_sqs() -> None:
    message = Events(seeded(target_bytes=1_048_576)).message(1)
    assert len(message.body.encode()) == 1_048_576
    assert contract.read(message.body, NOW)[1] == []


def test_events_without_a_target_size_have_about_1_kb() -> None:
    sizes = [message.size for message in messages(seeded(ratios=Ratios()), 1000)]
    assert 900 < sum(sizes) / len(sizes) < 1150
    assert max(sizes) < 2500


@pytest.mark.parametrize("target", [0, 3000])
def test_the_escaped_pieces_decode_to_the_body(target: int) -> None:
    for message in messages(seeded(target_bytes=target), 200):
        assert json.loads(b'"' + b"".join(message.escaped) + b'"') == message.body


def test_the_amount_of_an_order_is_exactly_the_sum_of_its_items() -> None:
    for event in decoded(seeded(), 1000, "order"):
        total = sum(item["quantity"] * item["unit_price"] for item in event["items"])
        assert event["amount"] == total
        assert -event["amount"].as_tuple().exponent == 2


def test_orders_at_the_threshold_and_just_above_it_occur() -> None:
    amounts = {event["amount"] for event in decoded(seeded(), 5000, "order")}
    assert {Decimal("1000.00"), Decimal("1000.01")} <= amounts


def test_a_duplicate_has_the_bytes_of_an_earlier_event() -> None:
    earlier: set[str] = set()
    duplicates = 0
    for message in messages(seeded(), 1000):
        if message.kind == "duplicate":
            assert message.content_hash in earlier
            duplicates += 1
        else:
            assert message.content_hash not in earlier
        earlier.add(message.content_hash)
    assert duplicates == 100


def test_events_occur_at_the_configured_spacing() -> None:
    start = datetime(2026, 11, 23, 12, tzinfo=UTC)
    events = Events(RunSpec(7, start, spacing_us=20_000))
    for number in (0, 50, 5000):
        occurred = contract.parse_rfc3339(contract.decode(events.message(number).body)["occurred_at"])
        assert occurred is not None
        delay = start + timedelta(milliseconds=20 * number) - occurred
        assert timedelta(0) <= delay <= timedelta(seconds=1)


def test_some_text_is_not_ascii_and_some_is_not_latin_1() -> None:
    bodies = [message.body for message in messages(seeded(ratios=Ratios()), 2000)]
    # Only orders have such text, in their addresses.
    assert 0.005 < sum(not body.isascii() for body in bodies) / len(bodies) < 0.1
    assert any(max(body) > "\xff" for body in bodies)


def test_a_200_kb_body_compresses_as_real_json_does() -> None:
    body = Events(seeded(target_bytes=204_800)).message(3).body.encode()
    assert 2.6 < len(body) / len(zlib.compress(body, 1)) < 3.4


def test_200_kb_bodies_differ_from_each_other() -> None:
    bodies = [
        message.body.encode() for message in messages(seeded(target_bytes=204_800, ratios=Ratios()), 20)
    ]
    assert len({body[2000:4000] for body in bodies}) == 20


def test_no_body_contains_a_control_character() -> None:
    for message in messages(seeded(), 500):
        assert all(character >= " " for character in message.body)
