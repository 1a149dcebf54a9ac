"""Whatever bytes arrive, the handler raises nothing and every message is accounted for."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.processor.conftest import Harness, order, record

BODIES = 20_000
BATCH = 10

HOSTILE: list[Any] = [
    None, True, False, 0, -1, 2**70, -0.0, 1e308, "", " ", "\x00", "\ufeff", "\ud800", "\udfff\ud800",
    "é" * 200,
    "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2016-12-31T23:59:60Z", "0000-00-00T00:00:00Z",
    [], {}, [[]], [{}], [None], {"": {}}, ["x"] * 50,
]  # fmt: skip
LITERALS = [
    "NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e999999999999999999999", "1E-999999999999999999999",
    "0e999999", "0.00000000000000000000000000000000000000001", "9" * 5000, "1." + "0" * 4000 + "1", "-0",
    "12345678901234567890123456789012345678", "1e33", "1e34", "1.00000", "1.00001", "01", "1.", ".5", "+1",
]  # fmt: skip


def bodies(seed: int, count: int) -> Iterator[str]:
    """Valid, mutated, truncated, ill-typed, nested, huge, duplicated and broken bodies, in turn."""
    rng = random.Random(seed)
    kinds = [mutated, truncated, literal, doubled, nested, noise, spliced]
    for n in range(count):
        yield order(event_id=f"valid-{n}") if n % 8 == 7 else kinds[n % 8](rng)


def mutated(rng: random.Random) -> str:
    event = json.loads(order())
    for _ in range(rng.randint(1, 4)):
        target = rng.choice([event, event["items"][0]] if event.get("items") else [event])
        if not isinstance(target, dict):
            continue
        if rng.random() < 0.3:
            target.pop(rng.choice(sorted(target) or [""]), None)
        else:
            target[rng.choice([*sorted(target), "event_type", "metadata"])] = rng.choice(HOSTILE)
        if not isinstance(event.get("items"), list) or not event["items"]:
            break
    return json.dumps(event, ensure_ascii=rng.random() < 0.5)


def truncated(rng: random.Random) -> str:
    body = order()
    return body[: rng.randrange(len(body))]


def literal(rng: random.Random) -> str:
    return order(rng.choice(LITERALS), metadata=rng.choice(HOSTILE))


def doubled(rng: random.Random) -> str:
    body = order()
    return '{"event_id": "' + rng.choice(["a", "", "b"]) + '", "amount": null, ' + body[1:]


def nested(rng: random.Random) -> str:
    depth = rng.choice([5, 100, 900, 1100, 20_000])
    return order(metadata="@@").replace('"@@"', "[" * depth + rng.choice(["]" * depth, "", "]"]))


def noise(rng: random.Random) -> str:
    return "".join(
        chr(rng.choice([rng.randrange(128), rng.randrange(0x11_0000)])) for _ in range(rng.randrange(60))
    )


def spliced(rng: random.Random) -> str:
    body = order()
    at = rng.randrange(len(body))
    return (
        body[:at] + rng.choice(['"', "\\u0000", "\\ud83d", "\x00", "\ufeff", "}", "]", ",", "\\"]) + body[at:]
    )


def test_twenty_thousand_hostile_bodies_are_each_stored_or_rejected_whole(harness: Harness) -> None:
    sent = {f"m{n}": body for n, body in enumerate(bodies(seed=20261122, count=BODIES))}
    ids = list(sent)
    for start in range(0, BODIES, BATCH):
        batch = ids[start : start + BATCH]
        assert harness.deliver(*(record(sent[i], i) for i in batch)) == []
    kept = {
        item["message_id"]["S"]: item
        for table in (harness.events, harness.rejected)
        for item in table.values()
    }
    assert len(kept) + len(harness.duplicates) == BODIES
    for message_id, item in kept.items():
        assert harness.body_of(item) == sent[message_id]
    assert len(harness.events) >= BODIES // 8
    assert all(item["reasons"]["L"] for item in harness.rejected.values())


def test_bodies_of_a_mebibyte_are_kept_too(harness: Harness) -> None:
    quote, mega = '"', 1024 * 1024
    huge = [
        quote + "x" * (mega - 2) + quote,
        "[" * mega,
        '{"items":[' + ",".join(["{}"] * 300_000) + '],"event_type":"order"}',
        order(metadata="ž" * 300_000),
        "\x00" * mega,
        "9" * mega,
    ]
    for n, body in enumerate(huge):
        assert harness.deliver(record(body, f"m{n}")) == []
    kept = {
        item["message_id"]["S"]: item
        for table in (harness.events, harness.rejected)
        for item in table.values()
    }
    assert [harness.body_of(kept[f"m{n}"]) for n in range(len(huge))] == huge
    assert int(harness.rejected["m2"]["violation_count"]["N"]) == 3 * 300_000 + 6


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: raw.decode("latin-1")))
def test_any_text_at_all_is_rejected_whole(harness: Harness, body: str) -> None:
    message_id = f"m{len(harness.rejected)}"
    assert harness.deliver(record(body, message_id)) == []
    assert harness.body_of(harness.rejected[message_id]) == body


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
FIELDS = [
    "event_id", "event_type", "occurred_at", "customer_id", "order_id", "currency", "amount", "items",
    "payment_id", "method", "status", "session_id", "action",
]  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    event=st.dictionaries(st.sampled_from(FIELDS), trees | st.sampled_from(["order", "payment", "activity"])),
)
def test_any_json_under_the_contracts_names_is_accounted_for(harness: Harness, event: dict[str, Any]) -> None:
    before = len(harness.rejected) + len(harness.events) + len(harness.duplicates)
    assert harness.deliver(record(json.dumps(event), f"m{before}")) == []
    assert len(harness.rejected) + len(harness.events) + len(harness.duplicates) == before + 1
