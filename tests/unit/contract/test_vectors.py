"""The vectors are verdicts of the function, and other validators agree with all that JSON Schema can say."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import jsonschema
import jsonschema_rs
import pytest

import contract
from tools.benchmarks.docs import schemas, vectors
from tools.core.paths import ROOT

_FILE: dict[str, Any] = json.loads((ROOT / "tests" / "data" / "contract_vectors.json").read_text("utf-8"))
VECTORS: list[tuple[str, list[list[str]]]] = _FILE["vectors"]
_SCHEMAS: dict[str, Any] = {
    "the contract": json.loads(schemas.render(contract.SCHEMA)),
    "the union of types": json.loads(schemas.render(schemas.event_types())),
}
Validator = Callable[[Any], bool]


def python_validator(schema: Any, *, formats: bool) -> Validator:
    draft = jsonschema.Draft202012Validator
    valid: Validator = draft(schema, format_checker=draft.FORMAT_CHECKER if formats else None).is_valid
    return valid


def rust_validator(schema: Any, *, formats: bool) -> Validator:
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=formats).is_valid


def known_difference(validator: object, body: str, *, formats: bool) -> bool:
    """Whether docs/consumers.md says that a validator has another verdict."""
    python = validator is python_validator
    underflow = "-1e-400" in body  # a binary float makes it -0
    line_break = python and "\\n" in body  # Python's $ matches before it
    leap_second = python and formats and ":60" in body  # rfc3339-validator refuses every one
    no_format = not formats and any(date in body for date in ("02-29", "04-31", ":60", "0001-01-01"))
    return underflow or line_break or leap_second or no_format


def test_there_are_a_thousand_bodies_valid_and_invalid_by_every_rule() -> None:
    assert len(VECTORS) >= 1000
    assert sum(not reasons for _, reasons in VECTORS) >= 200
    rules = {rule for _, reasons in VECTORS for _, rule in reasons}
    assert rules >= {"required", "type", "enum", "minLength", "maxLength", "pattern", "format", "minItems"}
    assert rules >= {"minimum", "exclusiveMaximum", "x-maxFractionDigits", *vectors.BEYOND_SCHEMA}


def test_the_file_has_the_verdicts_of_this_contract() -> None:
    now = datetime.fromisoformat(_FILE["now"])
    for body, reasons in VECTORS:
        assert [list(found[:2]) for found in contract.read(body, now)[1]] == reasons


@pytest.mark.parametrize("formats", [True, False])
@pytest.mark.parametrize("validator", [python_validator, rust_validator])
@pytest.mark.parametrize("name", _SCHEMAS)
def test_other_validators_agree(name: str, validator: Callable[..., Validator], formats: bool) -> None:
    is_valid = validator(_SCHEMAS[name], formats=formats)
    compared = 0
    for body, reasons in VECTORS:
        rules = {rule for _, rule in reasons}
        if rules & {"json", "max_depth", "max_number_length", "duplicate_key", "unicode"}:
            continue  # readers of JSON differ
        if not known_difference(validator, body, formats=formats):
            compared += 1
            assert is_valid(json.loads(body)) is not bool(rules - {*vectors.BEYOND_SCHEMA}), (body, reasons)
    assert compared > 850
