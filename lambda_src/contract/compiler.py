"""Compiles the contract's JSON Schema into checks, once, at import.

The compiler knows the keywords that the contract uses and refuses any other, so that no rule in the schema is
ignored. tests/unit/contract compares it with the `jsonschema` package; docs/adr/0007 says why it exists.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Context, Decimal
from typing import Any

from contract.decoding import Unreadable
from contract.rules import RULES
from contract.timestamps import parse_rfc3339
from contract.violations import Location, Violations, readable

Check = Callable[[Any, Location, Violations, datetime], None]
Schema = Mapping[str, Any]

_ANNOTATIONS = {"$schema", "$id", "$defs", "title", "description", "x-version"}
_MISSING = object()
# Amounts stay below 1e34, so 60 digits hold any amount with its 4 decimals exactly.
_EXACT = Context(prec=60)


class UnknownKeyword(ValueError):
    """The schema uses a keyword that this compiler does not implement."""


def compile_schema(schema: Schema) -> Check:
    """Compile a JSON Schema into a check: ``check(value, location, violations, now)``.

    Raises UnknownKeyword for a keyword that it does not implement.
    """
    return _compile(schema, schema)


def _compile(schema: Schema, root: Schema) -> Check:
    if "$ref" in schema:
        _known(schema, {"$ref"})
        target: Any = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return _compile(target, root)
    if "enum" in schema:
        _known(schema, {"enum"})
        return _enum(schema["enum"])
    kind = schema.get("type", "object")
    return _KINDS[kind](schema, root)


def _known(schema: Schema, keywords: set[str]) -> None:
    unknown = set(schema) - keywords - _ANNOTATIONS
    if unknown:
        raise UnknownKeyword(f"the contract compiler does not implement {', '.join(sorted(unknown))}")


def _describe(value: Any) -> str:
    if isinstance(value, Unreadable):
        return value.literal
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    names: dict[type, str] = {str: "a string", dict: "an object", list: "a list"}
    return names.get(type(value), "a number")


def _enum(values: list[str]) -> Check:
    allowed = frozenset(values)
    reason = f"must be one of {', '.join(values)}"

    def check(value: Any, at: Location, found: Violations, now: datetime) -> None:
        if not isinstance(value, str) or value not in allowed:
            quoted = f'"{value[:40]}"' if isinstance(value, str) else _describe(value)
            found.add(at, "enum", f"{reason}, but is {quoted}")

    return check


def _string(schema: Schema, root: Schema) -> Check:
    _known(schema, {"type", "minLength", "maxLength", "pattern", "format"})
    shortest: int = schema.get("minLength", 0)
    longest: float = schema.get("maxLength", float("inf"))
    pattern = re.compile(_ecma(schema["pattern"])) if "pattern" in schema else None
    timestamp = schema.get("format") == "date-time"
    if not timestamp and "format" in schema:
        raise UnknownKeyword(f"the contract compiler does not implement format {schema['format']}")

    def check(value: Any, at: Location, found: Violations, now: datetime) -> None:
        if not isinstance(value, str):
            found.add(at, "type", f"must be a string, but is {_describe(value)}")
            return
        length = len(value)
        if length < shortest:
            found.add(at, "minLength", f"must have at least {shortest} character, but is empty")
        elif length > longest:
            found.add(at, "maxLength", f"must have at most {longest} characters, but has {length}")
        if pattern is not None and not pattern.search(value):
            found.add(at, "pattern", f'must match {schema["pattern"]}, but is "{value[:40]}"')
        if timestamp and parse_rfc3339(value) is None:
            found.add(
                at, "format", f'must be an RFC 3339 timestamp with an offset or Z, but is "{value[:40]}"'
            )
        if not value.isascii() and not _is_unicode(value):
            found.add(at, "unicode", "must be Unicode text, but holds half of a surrogate pair")

    return check


def _ecma(pattern: str) -> str:
    # In ECMA 262, which JSON Schema follows, $ matches only at the end; in Python also before a last newline.
    return pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _number(schema: Schema, root: Schema) -> Check:
    _known(schema, {"type", "minimum", "exclusiveMaximum", "x-maxDecimals"})
    integer = schema["type"] == "integer"
    wanted = "an integer" if integer else "a number"
    least = schema.get("minimum")
    below = schema.get("exclusiveMaximum")
    decimals = schema.get("x-maxDecimals")
    step = Decimal(1).scaleb(-decimals) if decimals is not None else None

    def check(value: Any, at: Location, found: Violations, now: datetime) -> None:
        if type(value) is not int and not isinstance(value, Decimal):
            found.add(at, "type", f"must be {wanted}, but is {_describe(value)}")
            return
        if least is not None and value < least:
            found.add(at, "minimum", f"must be at least {least}, but is {readable(value)}")
        elif below is not None and value >= below:
            found.add(at, "exclusiveMaximum", f"must be below {below:g}")
        elif isinstance(value, Decimal):
            if integer and _EXACT.to_integral_value(value) != value:
                found.add(at, "type", f"must be an integer, but is {readable(value)}")
            if step is not None and _EXACT.quantize(value, step) != value:
                reason = f"must have at most {decimals} decimals, but is {readable(value)}"
                found.add(at, "x-maxDecimals", reason)

    return check


def _array(schema: Schema, root: Schema) -> Check:
    _known(schema, {"type", "minItems", "items"})
    fewest: int = schema.get("minItems", 0)
    each = _compile(schema["items"], root)

    def check(value: Any, at: Location, found: Violations, now: datetime) -> None:
        if not isinstance(value, list):
            found.add(at, "type", f"must be a list, but is {_describe(value)}")
            return
        if len(value) < fewest:
            found.add(at, "minItems", "must not be empty")
        for index, item in enumerate(value):
            each(item, (at, index), found, now)

    return check


def _object(schema: Schema, root: Schema) -> Check:
    _known(schema, {"type", "required", "properties", "allOf", "x-rules"})
    required = frozenset(schema.get("required", ()))
    properties = schema.get("properties", {})
    undeclared = required - set(properties)
    if undeclared:
        raise UnknownKeyword(f"required but not declared: {', '.join(sorted(undeclared))}")
    fields = [(name, name in required, _compile(sub, root)) for name, sub in properties.items()]
    branches = [_branch(branch, root) for branch in schema.get("allOf", ())]
    rules = [RULES[rule["rule"]](rule) for rule in schema.get("x-rules", ())]

    def check(value: Any, at: Location, found: Violations, now: datetime) -> None:
        if not isinstance(value, dict):
            found.add(at, "type", f"must be an object, but is {_describe(value)}")
            return
        for name, must, field in fields:
            member = value.get(name, _MISSING)
            if member is not _MISSING:
                field(member, (at, name), found, now)
            elif must:
                found.add((at, name), "required", "is missing")
        for name, wanted, branch in branches:
            if value.get(name) == wanted:
                branch(value, at, found, now)
        for rule in rules:
            rule(value, at, found, now)

    return check


def _branch(branch: Schema, root: Schema) -> tuple[str, str, Check]:
    # Only `if this field has this value` is supported, and only for strings.
    _known(branch, {"if", "then"})
    condition = branch["if"]
    _known(condition, {"properties", "required"})
    ((name, constant),) = condition["properties"].items()
    _known(constant, {"const"})
    if condition["required"] != [name] or not isinstance(constant["const"], str):
        raise UnknownKeyword("an if must require its one field and compare it with a string")
    return name, constant["const"], _compile(branch["then"], root)


_KINDS: dict[str, Callable[[Schema, Schema], Check]] = {
    "string": _string,
    "number": _number,
    "integer": _number,
    "array": _array,
    "object": _object,
}
