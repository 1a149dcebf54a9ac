"""What the compiler makes of a schema: verdicts, messages, and refusals by name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

import contract
from contract.compiler import UnknownKeyword, compile_schema
from contract.patterns import UntranslatedPattern, compile_pattern

NOW = datetime(2026, 11, 22, 14, 4, tzinfo=UTC)


def reasons(schema: Any, text: str) -> list[str]:
    """Why a JSON text breaks a schema. A schema that is text is decoded first."""
    found = contract.Violations()
    decoded = contract.decode(schema) if isinstance(schema, str) else schema
    compile_schema(decoded)(contract.decode(text), (), found, NOW)
    return [violation.reason for violation in found]


@pytest.mark.parametrize("read", [json.loads, contract.decode], ids=["binary floats", "decimals"])
def test_the_numbers_of_a_schema_are_the_decimals_that_are_written(read: Any) -> None:
    assert reasons(read('{"minimum": 0.1}'), "0.1") == []
    assert reasons(read('{"minimum": 0.1}'), "0.09999999999999999999999") != []
    assert reasons(read('{"exclusiveMaximum": 1e34}'), "9" * 34) == []
    assert reasons(read('{"exclusiveMaximum": 1e34}'), "1" + "0" * 34) != []
    assert reasons(read('{"enum": [0.1, 2]}'), "0.10") == reasons(read('{"const": 2.0}'), "2") == []


@pytest.mark.parametrize("text", ["0", '"x"', "null", "[]", "{}", "true", "1.5"])
def test_an_empty_schema_accepts_anything(text: str) -> None:
    for schema in (
        "{}",
        "true",
        '{"title": "x"}',
        '{"items": {}}',
        '{"properties": {"a": {}}}',
        '{"allOf": [{}]}',
    ):
        assert reasons(schema, text) == []
    assert reasons("false", text) == ["is not allowed"]


@pytest.mark.parametrize(
    ("schema", "text", "reason"),
    [
        ('{"minLength": 2}', '"x"', "must have at least 2 characters, but has 1"),
        ('{"minLength": 1}', '""', "must have at least 1 character, but is empty"),
        ('{"minLength": 2}', '""', "must have at least 2 characters, but is empty"),
        ('{"maxLength": 2}', '"xyz"', "must have at most 2 characters, but has 3"),
        ('{"minItems": 3}', "[1, 2]", "must have at least 3 items, but has 2"),
        ('{"minItems": 1}', "[]", "must have at least 1 item, but is empty"),
        ('{"type": "boolean"}', "0", "must be true or false, but is a number"),
        ('{"type": "null"}', "false", "must be null, but is false"),
        ('{"type": ["integer", "null"]}', '"1"', "must be an integer or null, but is a string"),
        ('{"type": ["integer", "null"]}', "1.5", "must be an integer, but is 1.5"),
        ('{"enum": ["a", 1, null, true]}', "2", "must be one of a, 1, null, true, but is 2"),
        ('{"const": 5}', '"5"', 'must be 5, but is "5"'),
        ('{"const": {"a": 1}}', "[]", "must be an object, but is a list"),
        ('{"minimum": 0.5}', "0.25", "must be at least 0.5, but is 0.25"),
        ('{"exclusiveMaximum": 1000000}', "1e6", "must be below 1000000, but is 1000000"),
        ('{"x-maxDecimals": 2}', "1.005", "must have at most 2 decimals, but is 1.005"),
    ],
)
def test_a_reason_says_what_is_required_and_what_came(schema: str, text: str, reason: str) -> None:
    assert reasons(schema, text) == [reason]


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ('{"type": "boolean"}', "true"), ('{"type": ["string", "null"], "maxLength": 1}', "null"),
        ('{"enum": [1, null, false, ["a"]]}', '["a"]'), ('{"enum": [1.0]}', "1"),
        ('{"type": "array"}', "[1]"),
        ('{"type": "integer"}', "1.0"), ('{"x-maxDecimals": 2}', "1e400"), ('{"x-maxDecimals": 2}', "0e-400"),
        ('{"default": 1, "examples": [], "deprecated": true, "readOnly": true, "writeOnly": false}', "2"),
        ('{"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"type": "string"}}}', '"x"'),
        ('{"properties": {"child": {"$ref": "#"}}, "required": ["n"]}', '{"n": 1, "child": {"n": 2}}'),
    ],
)  # fmt: skip
def test_what_fits_a_schema_has_no_reason(schema: str, text: str) -> None:
    assert reasons(schema, text) == []


@pytest.mark.parametrize(
    ("schema", "named"),
    [
        ('{"oneOf": []}', "oneOf"), ('{"properties": {"a": {"uniqueItems": true}}}', "uniqueItems"),
        ('{"items": {"not": {}}}', "not"), ('{"if": {"anyOf": []}, "then": {}}', "anyOf"),
        ('{"if": {}, "then": {}, "else": {}}', "else"), ('{"type": "strnig"}', "type 'strnig'"),
        ('{"type": ["string", 5]}', "type"), ('{"type": {}}', "type"),
        ('{"format": "uuid"}', "format 'uuid'"),
        ('{"minLength": -1}', "minLength"), ('{"minLength": "2"}', "minLength"),
        ('{"minimum": true}', "minimum"),
        ('{"required": "a"}', "required"), ('{"properties": []}', "properties"), ('{"items": [{}]}', "items"),
        ('{"allOf": {}}', "allOf"), ('{"allOf": [1]}', "allOf"), ('{"enum": "a"}', "enum"), ("[]",
        "a schema"),
        ('{"$ref": "#/$defs/none"}', r"\$ref #/\$defs/none"),
        ('{"$ref": "other.json"}', r"\$ref 'other.json'"),
        ('{"x-rules": [{"rule": "none"}]}', "x-rules"), (r'{"pattern": "\\p{L}"}', "pattern"),
        ('{"pattern": "("}', "pattern"), ('{"properties": {"a": {"$id": "b"}}}', r"\$id"), ("5", "a schema"),
    ],
)  # fmt: skip
def test_what_is_not_implemented_is_refused_by_name(schema: str, named: str) -> None:
    with pytest.raises(UnknownKeyword, match=named):
        compile_schema(contract.decode(schema))


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        (r"^x\$", ["x$", "x$y"], ["x", "x\\"]), ("^a$|^b$", ["a", "b"], ["a\n", "b\n", "ab"]),
        ("[$]", ["a$"], ["a"]), (r"\\$", ["a\\"], ["\\a", "a\\\n"]), ("^[A-Z]{3}$", ["EUR"], ["EUR\n",
        "eur"]),
        (r"^\d$", ["1"], ["\u0663", "a"]), (r"^[\d]$", ["1"], ["\u0663"]), (r"^[\D]$", ["\u0663"], ["1"]),
        (r"^\w$", ["a", "_"], ["\u00e9"]), (r"^[^\w]$", ["\u00e9"], ["a"]), (r"^\W$", ["\u00e9"], ["a"]),
        (r"^\s$", ["\ufeff", "\u2003", " ", "\u2028"], ["\x1c", "\x85"]), (r"^[\s\S]$", ["\n", "a"], [""]),
        (r"^\S$", ["\x1c"], ["\u00a0"]), ("^.$", ["a", "\x85"], ["\n", "\r", "\u2028"]),
        (r"^\cC$", ["\x03"], ["C"]), ("[]", [], ["", "a"]), ("^[^]$", ["\n"], [""]),
        ("^\\ud83d\\udc32*$", ["\U0001f432\U0001f432"], ["x"]), (r"^\u{1f600}$", ["\U0001f600"], []),
        (r"(?<n>a)\k<n>", ["aa"], ["ab"]), ("^[[a&&b]$", ["[", "&"], ["]", "c"]),
        (r"\bx\b", ["\u00e9x"], ["ax"]),
        ("a{2}?", ["aa"], ["a"]), (r"^a\/b$", ["a/b"], []), ("(?:a|b)(?=c)(?!d)", ["ac"], ["ad"]),
    ],
)  # fmt: skip
def test_a_pattern_means_what_ecma_262_says(pattern: str, matching: list[str], other: list[str]) -> None:
    compiled = compile_pattern(pattern)
    assert [text for text in matching if not compiled.search(text)] == []
    assert [text for text in other if compiled.search(text)] == []


@pytest.mark.parametrize(
    "pattern",
    ["(?i)a", r"\p{L}", r"\a", r"\Z", r"\A", "a++", "a*+", "(?P<x>a)", "(?>a)", "(?#x)", "a{,3}", "a{2,1}",
    "}",
     "(", ")", "[a", "[b-a]", "(?<=a+)b", "\\", "*", r"\8"],
)  # fmt: skip
def test_what_ecma_262_or_python_does_not_know_is_refused(pattern: str) -> None:
    with pytest.raises(UntranslatedPattern):
        compile_pattern(pattern)


def strings(schema: Mapping[str, Any], path: str = "$") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every schema of a string below a schema, with its path."""
    schema = contract.resolve(schema)
    if schema.get("type") == "string":
        yield path, schema
    for name, below in schema.get("properties", {}).items():
        yield from strings(below, f"{path}.{name}")
    for branch in schema.get("allOf", []):
        yield from strings(branch["then"], path)
    if "items" in schema:
        yield from strings(schema["items"], f"{path}[]")


def test_every_text_that_the_contract_names_has_a_bound() -> None:
    found = dict(strings(contract.SCHEMA))
    assert {"$.event_id", "$.occurred_at", "$.order_id", "$.items[].sku", "$.session_id"} <= set(found)
    assert [path for path, schema in found.items() if schema.get("maxLength", 10**9) > 256] == []
