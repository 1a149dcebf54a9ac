"""The compiler agrees with the official JSON-Schema-Test-Suite, draft 2020-12, or refuses the schema by name.

The cases are in tests/data/json_schema_test_suite, with their licence.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

import contract
from contract.compiler import UnknownKeyword, compile_schema
from tools.core.paths import ROOT

SUITE = ROOT / "tests" / "data" / "json_schema_test_suite"
NOW = datetime(2026, 11, 22, 14, 4, tzinfo=UTC)

# Keywords of draft 2020-12 that the contract does not need. A schema with one of them must be refused.
UNSUPPORTED = {
    "$anchor", "additionalProperties", "anyOf", "contains", "else", "exclusiveMinimum", "maxItems", "maximum",
    "multipleOf", "not", "oneOf", "patternProperties", "prefixItems", "propertyNames",
    "unevaluatedProperties", "$dynamicRef",
}  # fmt: skip
# Groups whose keywords are all known, but not the use that they make of them: what the compiler names.
REFUSED = {
    "validate definition against metaschema": "$ref",
    "remote ref, containing refs itself": "$ref",
    "patterns always use unicode semantics with pattern": "pattern",
    "pattern with non-ASCII digits": "pattern",
    "pattern with Unicode property escape requires unicode mode": "pattern",
    **{f"{name} format": "format" for name in (
        "email", "idn-email", "regex", "ipv4", "ipv6", "idn-hostname", "hostname", "date", "time",
        "json-pointer", "relative-json-pointer", "iri", "iri-reference", "uri", "uri-reference",
        "uri-template", "uuid", "duration",
    )},
    # `format: regex`, from the file optional-format-ecmascript-regex.
    r"\a is not an ECMA 262 control escape": "format",
    "Python-specific regular expression syntax is not valid ECMA 262": "format",
    "global inline flag groups are not valid ECMA 262": "format",
    "ECMA 262 named groups and backreferences are valid": "format",
    "ECMA 262 lookbehind is valid, including variable width": "format",
    "ECMA 262 character classes and escapes": "format",
}  # fmt: skip
# Here the contract is deliberately stricter: it asserts date-time, which draft 2020-12 only annotates.
ASSERTED = {"invalid date-time string is only an annotation by default"}


def groups() -> Iterator[tuple[str, Any]]:
    for path in sorted(SUITE.glob("*.json")):
        for group in json.loads(path.read_text("utf-8")):
            yield f"{path.stem}: {group['description']}", group


def keywords(schema: Any) -> Iterator[str]:
    """The keywords of a schema and of all below it."""
    if not isinstance(schema, dict):
        return
    for name, value in schema.items():
        yield name
        if name in ("properties", "$defs", "patternProperties"):
            for below in value.values():
                yield from keywords(below)
        elif name in ("allOf", "anyOf", "oneOf", "prefixItems"):
            for below in value:
                yield from keywords(below)
        elif name not in ("const", "enum"):
            yield from keywords(value)


def reasons(group: dict[str, Any]) -> set[str]:
    """What the compiler must name when it refuses the schema of a group; empty if it must not refuse it."""
    schema = group["schema"]
    found = UNSUPPORTED & set(keywords(schema))
    if group["description"] in REFUSED:
        found.add(REFUSED[group["description"]])
    if any(not reference.startswith("#/") and reference != "#" for reference in references(schema)):
        found.add("$ref")
    if list(keywords(schema)).count("$id") > ("$id" in schema):
        found |= {"$id", "$ref"}
    return found


def references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        for name, value in schema.items():
            if name == "$ref" and isinstance(value, str):
                yield value
            elif name not in ("const", "enum"):
                yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)


@pytest.mark.parametrize("group", [pytest.param(group, id=name) for name, group in groups()])
def test_each_case_of_the_official_suite_has_its_verdict_or_its_schema_is_refused(group: Any) -> None:
    if named := reasons(group):
        with pytest.raises(UnknownKeyword) as refused:
            compile_schema(group["schema"])
        assert any(word in str(refused.value) for word in named)
        return
    check = compile_schema(group["schema"])
    for case in group["tests"]:
        found = contract.Violations()
        check(contract.decode(json.dumps(case["data"])), (), found, NOW)
        valid = case["valid"] and case["description"] not in ASSERTED
        assert (not found.total) is valid, (case["description"], list(found))
