"""The event contract: the schema, and the code compiled from it."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import contract
from contract.compiler import UnknownKeyword, compile_schema
from tools.core.paths import ROOT

NOW = datetime(2026, 11, 22, 14, 4, tzinfo=UTC)
ENVELOPE: dict[str, Any] = {"event_id": "e1", "occurred_at": "2026-11-22T14:03:07+01:00", "customer_id": "c1"}
ORDER: dict[str, Any] = {
    **ENVELOPE,
    "event_type": "order",
    "order_id": "o1",
    "currency": "EUR",
    "amount": 30.5,
    "items": [{"sku": "a", "quantity": 2, "unit_price": 10}, {"sku": "b", "quantity": 1, "unit_price": 10.5}],
}
PAYMENT: dict[str, Any] = {
    **ENVELOPE,
    "event_type": "payment",
    "payment_id": "p1",
    "order_id": "o1",
    "amount": 30.5,
    "currency": "EUR",
    "method": "card",
    "status": "captured",
}
ACTIVITY: dict[str, Any] = {**ENVELOPE, "event_type": "activity", "session_id": "s1", "action": "page_view"}
VALID = [ORDER, PAYMENT, ACTIVITY]


def violations(event: Any, now: datetime = NOW) -> list[contract.Violation]:
    body = event if isinstance(event, str) else json.dumps(event)
    return list(contract.read(body, now)[1])


def paths(event: Any) -> list[str]:
    return [violation.path for violation in violations(event)]


@pytest.mark.parametrize("event", VALID)
def test_events_of_each_type_are_valid(event: dict[str, Any]) -> None:
    assert violations(event) == []


@pytest.mark.parametrize("event", VALID)
def test_every_required_field_is_missed_by_its_path(event: dict[str, Any]) -> None:
    for name in event:
        if name == "event_type":
            continue
        assert paths({key: value for key, value in event.items() if key != name}) == [f"$.{name}"]


def test_unknown_fields_are_allowed() -> None:
    assert violations({**ACTIVITY, "metadata": {"deep": [None, 1.5, {}]}, "": 0}) == []


def test_every_violation_is_listed_with_path_rule_and_reason() -> None:
    event = {**ORDER, "event_id": "", "currency": "eur", "items": [{"sku": 1, "quantity": 0}, 7]}
    assert violations(event) == [
        ("$.event_id", "minLength", "must have at least 1 character, but is empty"),
        ("$.currency", "pattern", 'must match ^[A-Z]{3}$, but is "eur"'),
        ("$.items[0].sku", "type", "must be a string, but is a number"),
        ("$.items[0].quantity", "minimum", "must be at least 1, but is 0"),
        ("$.items[0].unit_price", "required", "is missing"),
        ("$.items[1]", "type", "must be an object, but is a number"),
    ]


@pytest.mark.parametrize(
    ("amount", "good"),
    [
        ("30.5", True), ("30.50000", True), ("3.05e1", True), ("30.51", True), ("30.49", True),
        ("30.5101", False), ("30.52", False), ("30.50001", False), ('"30.5"', False), ("null", False),
        ("true", False), ("NaN", False), ("Infinity", False), ("-30.5", False),
        ("1e15", False), ("1e34", False), ("[]", False),
    ],
)  # fmt: skip
def test_an_amount_is_a_decimal_number_that_its_items_add_up_to(amount: str, good: bool) -> None:
    body = json.dumps(ORDER).replace("30.5", amount)
    assert ("$.amount" not in paths(body)) is good


def test_the_sum_of_the_items_is_exact_where_binary_floats_are_not() -> None:
    items = [{"sku": "a", "quantity": 1, "unit_price": 0.1}] * 3
    assert violations({**ORDER, "amount": 0.3, "items": items}) == []
    large = '"amount": 900719925474099.5601, "items": [{"sku": "a", "quantity": 1, "unit_price": '
    body = json.dumps({**ORDER, "amount": 0}).split('"amount"')[0] + large
    assert violations(body + "900719925474099.5501}]}") == []
    assert violations(body + "900719925474099.5500}]}") != []


def test_money_never_becomes_a_binary_float() -> None:
    event = contract.decode('{"amount": 0.1, "deep": [1e3, {"x": 2.5}]}')
    assert event == {"amount": Decimal("0.1"), "deep": [Decimal("1e3"), {"x": Decimal("2.5")}]}
    assert not isinstance(event["deep"][0], float)


@pytest.mark.parametrize(
    ("occurred_at", "good"),
    [
        ("2026-11-22T14:03:07Z", True), ("2026-11-22t14:03:07.123456789z", True),
        ("2026-11-22T08:33:07-05:30", True),
        ("2016-12-31T23:59:60Z", True), ("2024-02-29T00:00:00Z", True), ("2026-11-22T14:03:07", False),
        ("2026-11-22", False), ("2026-02-29T00:00:00Z", False), ("2026-11-20T24:00:00Z", False), ("", False),
        ("2026-W47-7T14:03:07Z", False), ("20261122T140307Z", False), ("2026-11-22 14:03:07Z", False),
        ("2026-11-22T14:03:60Z", False), ("2016-12-31T23:59:60+01:00", False),
        ("2017-01-01T00:59:60.5+01:00", True), ("2026-11-22T14:03:07.1234567890Z", False),
        ("2026-11-22T14:03:07.123456789+05:30", True), ("2026-11-22T14:03:07." + "1" * 270_000 + "Z", False),
        ("0001-01-01T00:00:00+23:59", False), ("9999-12-31T23:59:59-00:01", False),
        ("2026-11-22T14:03:07+24:00", False), ("2026-11-22T14:03:07Z\n", False),
        ("\u0662026-11-22T14:03:07Z", False),
    ],
)  # fmt: skip
def test_timestamps_are_rfc_3339_with_an_offset(occurred_at: str, good: bool) -> None:
    assert ("$.occurred_at" not in paths({**ACTIVITY, "occurred_at": occurred_at})) is good


@pytest.mark.parametrize(("seconds", "good"), [(-9e8, True), (299, True), (300, True), (301, False)])
def test_an_event_may_be_five_minutes_ahead_of_our_clock(seconds: float, good: bool) -> None:
    occurred_at = (NOW + timedelta(seconds=seconds)).isoformat()
    assert (violations({**ACTIVITY, "occurred_at": occurred_at}) == []) is good


@pytest.mark.parametrize(("length", "good"), [(0, False), (1, True), (128, True), (129, False)])
def test_identifiers_have_1_to_128_characters(length: int, good: bool) -> None:
    for name in ("event_id", "customer_id"):
        assert (paths({**ACTIVITY, name: "ž" * length}) == []) is good


def test_half_a_surrogate_pair_is_no_identifier() -> None:
    assert violations('{"event_id": "\\ud800"}')[0].rule == "unicode"


@pytest.mark.parametrize(
    "body", ["", " ", "nul", "{'a': 1}", '{"a": 1,}', "\ufeff{}", '{"a": "\t"}', "[" * 64]
)
def test_what_is_not_json_is_one_violation(body: str) -> None:
    assert [(v.path, v.rule) for v in violations(body)] == [("$", "json")]


@pytest.mark.parametrize("body", ["[]", '"x"', "1", "null", "true"])
def test_what_is_not_an_object_is_one_violation(body: str) -> None:
    assert [(v.path, v.rule) for v in violations(body)] == [("$", "type")]


def test_nan_hidden_in_an_unknown_field_is_still_not_json() -> None:
    assert paths(json.dumps({**ACTIVITY, "metadata": {"x": float("nan")}})) == ["$"]


def test_numbers_that_no_machine_holds_are_welcome_in_unknown_fields() -> None:
    body = json.dumps({**ACTIVITY, "metadata": "@"})
    for literal in ("9" * 100, "1e99999999999999999999", "-1e400"):
        assert violations(body.replace('"@"', literal)) == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ('{"a": 1, "b": [2.50]}', '{"b":[2.5],"a":1}', True),
        ("1", "true", False),
        ("1", "1.0", True),
        ("[1, 2]", "[2, 1]", False),
        ('{"a": null}', "{}", False),
        ('"1"', "1", False),
    ],
)
def test_the_same_json_value_is_the_same_content(one: str, other: str, same: bool) -> None:
    assert contract.same_json(one, other) is same


def test_a_keyword_that_the_compiler_does_not_know_stops_it() -> None:
    for place in ("properties", "$defs"):
        schema = copy.deepcopy(contract.SCHEMA)
        schema[place]["event_id" if place == "properties" else "item"]["uniqueItems"] = True
        with pytest.raises(UnknownKeyword, match="uniqueItems"):
            compile_schema(schema)


# What the x- keywords add is left out of the comparison; `true` is no number in either.
plain = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([0.5, 2.0, 1e40, "", "EUR", "eur", "x" * 129])
)
nearly_valid = st.one_of(*(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.just(value) | plain | st.just([]) | st.lists(st.dictionaries(
                st.sampled_from(["sku", "quantity", "unit_price"]), plain), max_size=2)
            for name, value in event.items()
        },
    )
    for event in VALID
))  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(event=nearly_valid)
def test_the_compiled_checks_agree_with_the_jsonschema_package(event: dict[str, Any]) -> None:
    validator = jsonschema.Draft202012Validator(
        contract.SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    theirs = set()
    for error in validator.iter_errors(event):
        parts = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in error.absolute_path)
        missing = f".{error.message.split(chr(39))[1]}" if error.validator == "required" else ""
        theirs.add(f"${parts}{missing}")
    ours = {v.path for v in violations(event) if v.rule not in ("x-maxDecimals", "amount_equals_items")}
    assert ours == theirs


def test_the_schema_itself_is_valid_draft_2020_12() -> None:
    jsonschema.Draft202012Validator.check_schema(contract.SCHEMA)


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ('"x-version"', '"x-versions"', "x-version"),
        ('"enum": ["order", "payment", "activity"]', '"type": "string"', "enum"),
        ('"occurred_at", "customer_id"],', '"occurred_at"],', "customer_id must be required"),
        (
            '"order_id": { "description": "The order.", "type": "string"',
            '"order_id": { "$ref": "#/nowhere"',
            "nowhere",
        ),
        ('"item": {', '"item": {,', "MalformedBody"),
    ],
)
def test_a_schema_that_cannot_be_the_contract_is_one_line_in_every_program(
    tmp_path: Path, before: str, after: str, why: str
) -> None:
    package = Path(contract.__file__).parent
    shutil.copytree(package, tmp_path / "contract", ignore=shutil.ignore_patterns("__pycache__"))
    schema = tmp_path / "contract" / "event.schema.json"
    text = schema.read_text("utf-8")
    assert before in text
    schema.write_text(text.replace(before, after, 1), "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", "import tools, contract"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("lambda_src/contract/event.schema.json cannot be used as the contract:")
    assert why in done.stderr
    assert len(done.stderr.splitlines()) == 1
