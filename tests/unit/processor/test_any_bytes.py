"""Whatever bytes arrive, the handler raises nothing and every message is accounted for."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import contract
from archiver.lines import event_line, rejected_line
from tests.unit.processor.conftest import Harness, order, record

BODIES = 20_000
# Some 20 s by default, the same examples in every run; the nightly job sets more, which are random.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "400"))
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


# JSON text, so that what no Python value can hold is among it: duplicate keys, long numbers, odd escapes.
literals = st.sampled_from([
    "0", "-0", "1e400", "9" * 100, "9" * 101, "9" * 5000, "1." + "0" * 99, "NaN", "true", "null", "[]", "{}",
    "\ufeff",
    '"order"', '"payment"', '"activity"', '"EUR"', '"card"', '"captured"', "30.50", "1", "1e15", "1e33",
    '"2026-11-22t14:03:60z"', '"2016-12-31T23:59:60Z"', '"2026-11-22T14:03:07.1234567890Z"',
    '"0001-01-01T00:00:00+23:59"', '"9999-12-31T23:59:59-23:59"', '"a:b"', r'"\ud800"', r'"\u003a"', r'"\""',
    '"' + "\U0001f680" * 257 + '"', '"\x1b[2J"', '"\x00"', "[" * 63 + "]" * 63,
    "[" * 64 + "]" * 64, "[" * 2000,
])  # fmt: skip
keys = st.sampled_from(
    [f'"{name}"' for name in FIELDS] + [r'"\u0061mount"', '"metadata"', '""', '"a:b"', "a"]
)
json_texts = st.recursive(
    literals,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda values: f"[{','.join(values)}]")
        | st.lists(st.tuples(keys, inner), max_size=4).map(
            lambda members: "{" + ",".join(f"{key}:{value}" for key, value in members) + "}"
        )
    ),
    max_leaves=12,
)


@st.composite
def fuzzed(draw: st.DrawFn) -> str:
    """A valid event of which members are replaced, added or repeated, and that may be cut or spliced."""
    number = draw(st.integers(0, 10**6))
    event = {
        **json.loads(order(event_id=f"fuzz-{number}")), "payment_id": "p", "method": "card",
        "status": "captured", "session_id": "s", "action": "a",
        "event_type": draw(st.sampled_from(contract.EVENT_TYPES)),
    }  # fmt: skip
    members = [(json.dumps(name), json.dumps(value)) for name, value in event.items()]
    changes = draw(st.lists(st.tuples(keys, json_texts, st.booleans()), max_size=3))
    for key, value, adds in changes:
        members = [pair for pair in members if adds or pair[0] != key] + [(key, value)]
    body = "{" + ",".join(f"{key}:{value}" for key, value in members) + "}"
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(body)))
        body = body[:at] + draw(st.text(max_size=5)) + body[at + draw(st.integers(0, 3)) :]
    return body


@settings(
    max_examples=EXAMPLES,
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(body=fuzzed())
def test_fuzzed_bodies_are_accounted_for_archived_and_read_in_one_way(body: str) -> None:
    harness = Harness()
    raw = body.encode("utf-8", "surrogatepass")
    assert harness.deliver(record(body, "m1"), record(body, "m2")) == []
    assert harness.deliver(record(body + " ", "m3")) == []
    event, violations = contract.read(body, harness.now)
    if violations:
        assert sorted(harness.rejected) == ["m1", "m2", "m3"]
        item = harness.rejected["m1"]
        assert item["reasons"]["L"]
        line = json.loads(rejected_line(item, harness.s3.objects.__getitem__).text)
        assert line["body"] == raw.decode("utf-8", "replace")
        return
    (item,) = harness.events.values()
    assert sorted(harness.duplicates) == ["m2", "m3"]
    archived = event_line(item, harness.s3.objects.__getitem__).text.decode()
    assert archived.count("\n") == 1
    # One reading: the line as the contract decodes it has the values of the item's columns.
    line = contract.decode(archived)
    for name in ("event_id", "event_type", "customer_id"):
        assert line[name] == line["event"][name] == event[name] == item[name]["S"]
    assert contract.parse_rfc3339(line["occurred_at"]) == contract.parse_rfc3339(event["occurred_at"])
    declared = contract.declared_fields(event["event_type"])
    assert ("amount" in item) is ("amount" in declared)
    assert "amount" not in declared or line["amount"] == line["event"]["amount"]
