"""Read a schema of the contract as one flat set of keywords for each place, so that two can be compared."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from contract.checks import types_of

Schema = Mapping[str, Any]

# What never fails, and what always does.
_BOOLEANS: Mapping[bool, Schema] = {True: {}, False: {"enum": []}}
_FIXED_WIDTH = re.compile(r"\^\[[^\]]+\]\{(\d+)\}\$")
# For validators that assert no format: every timestamp that `format` accepts matches it.
RFC3339_PATTERN = (
    "^([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]"
    r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]{1,9})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
_IMPLIED_FRACTION = 9


def flatten(root: Schema, schema: Any) -> Schema:
    """Return a schema without $ref and unconditional allOf, and without what its other keywords imply."""
    return _without_implied(_flatten(root, schema, ()))


def _flatten(root: Schema, schema: Any, seen: tuple[str, ...]) -> Schema:
    if isinstance(schema, bool):
        return _BOOLEANS[schema]
    flat = {name: value for name, value in schema.items() if name not in ("$ref", "allOf")}
    reference = schema.get("$ref")
    if reference is not None and reference not in seen:
        flat = _merge(flat, _flatten(root, _target(root, reference), (*seen, reference)))
    for branch in schema.get("allOf", ()):
        conditional = isinstance(branch, dict) and "if" in branch
        flat = _merge(flat, {"allOf": [branch]} if conditional else _flatten(root, branch, seen))
    return flat


def _target(root: Schema, reference: str) -> Any:
    found: Any = root
    for step in reference.removeprefix("#").split("/")[1:]:
        found = found[step.replace("~1", "/").replace("~0", "~")]
    return found


def _merge(one: Schema, other: Schema) -> dict[str, Any]:
    """Return the schema of the values that both accept. Of annotations, it has the first's."""
    if "if" in one and "if" in other:
        then = {name: other[name] for name in ("if", "then") if name in other}
        rest = {name: value for name, value in other.items() if name not in then}
        other = {**rest, "allOf": [*other.get("allOf", ()), then]}
    merged = {**other, **one}
    for name in one.keys() & other.keys():
        if one[name] != other[name] and name in _BOTH:
            merged[name] = _BOTH[name](one[name], other[name])
    if "const" in one and "const" in other and one["const"] != other["const"]:
        merged["enum"] = []
    return merged


def _both_types(one: str | list[str], other: str | list[str]) -> list[str]:
    first, second = ({*types_of(stated)} for stated in (one, other))
    for types, others in ((first, second), (second, first)):
        if "number" in types and "integer" in others:
            types.add("integer")
    return sorted(first & second)


def _both_properties(one: Schema, other: Schema) -> Schema:
    return {**other, **one} | {name: {"allOf": [one[name], other[name]]} for name in one if name in other}


# How a keyword with two values becomes one that asserts both.
_BOTH: Mapping[str, Callable[[Any, Any], Any]] = {
    **dict.fromkeys(["required", "allOf", "x-rules"], lambda one, other: [*one, *other]),
    **dict.fromkeys(["minLength", "minItems", "minimum"], max),
    **dict.fromkeys(["maxLength", "exclusiveMaximum", "x-maxDecimals", "x-maxFractionDigits"], min),
    "type": _both_types,
    "enum": lambda one, other: [value for value in one if canonical(value) in map(canonical, other)],
    "pattern": lambda one, other: " and ".join(sorted({one, other})),
    "properties": _both_properties,
    "items": lambda one, other: {"allOf": [one, other]},
}


def _without_implied(schema: Schema) -> Schema:
    """Leave out what is there for other validators: a change of it changes no verdict."""
    flat = dict(schema)
    pattern = flat.get("pattern")
    width = _FIXED_WIDTH.fullmatch(pattern) if isinstance(pattern, str) else None
    if width:
        flat |= {"minLength": int(width[1]), "maxLength": int(width[1])}
    digits = flat.get("x-maxFractionDigits")
    if flat.get("format") == "date-time" and digits == _IMPLIED_FRACTION and pattern == RFC3339_PATTERN:
        del flat["pattern"]
    return flat


def branches(schema: Schema) -> dict[str, Any]:
    """Return the conditional parts of a flat schema by their condition."""
    parts = [*schema.get("allOf", ()), *([schema] if "if" in schema else [])]
    found: dict[str, Any] = {}
    for part in parts:
        when, then = condition(part["if"]), part.get("then", True)
        found[when] = {"allOf": [found[when], then]} if when in found else then
    return found


def condition(test: Any) -> str:
    """Return the text of a condition: ``event_type order`` for one field with one value, else its JSON."""
    fields = test.get("properties", {}) if isinstance(test, dict) else {}
    for name, field in fields.items():
        plain = {"type": "object", "properties": {name: field}, "required": [name]}
        if {"type": "object", **test} == plain and isinstance(field, dict) and set(field) == {"const"}:
            return f"{name} {field['const']}"
    return canonical(test)


def canonical(value: Any) -> str:
    """Return a JSON value as a text that is the same for the same value."""
    return json.dumps(value, sort_keys=True, default=str)
