"""Compiles the contract's JSON Schema into checks, once, at import.

The compiler knows the keywords that the contract uses and refuses any other, so that no rule in the schema is
ignored. A test runs the official JSON-Schema-Test-Suite on it; docs/adr/0007 says why it exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from contract.checks import (
    Check,
    Schema,
    accept,
    all_of,
    allows,
    const_check,
    enum_check,
    number_check,
    other_types,
    refuse,
    string_check,
    too_few,
)
from contract.keywords import UnknownKeyword, check_keywords, with_decimals
from contract.rules import RULES
from contract.violations import Location, Violations

__all__ = ["Check", "UnknownKeyword", "compile_schema"]

_MISSING = object()


def compile_schema(schema: Any) -> Check:
    """Compile a JSON Schema into a check: ``check(value, location, violations, now)``.

    Raises UnknownKeyword for a keyword, or a value of one, that it does not implement.
    """
    return _Compiler(with_decimals(schema)).compile_root()


class _Compiler:
    """Compiles one schema. Each target of a $ref is compiled once, so that it may contain itself."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._version = root.get("x-version") if isinstance(root, dict) else None
        self._targets: dict[str, Check | None] = {}

    def compile_root(self) -> Check:
        return self._target("#")

    def _compile(self, schema: Any) -> Check:
        if isinstance(schema, bool):
            return accept if schema else refuse
        check_keywords(schema)
        if "$id" in schema and schema is not self._root:
            raise UnknownKeyword("$id below the root of a schema")
        # Each kind checks the values of its type and leaves the others to the next one.
        check = other_types(schema.get("type"))
        for kind, keywords, make in (
            ("object", {"required", "properties"}, self._object),
            ("array", {"minItems", "items"}, self._array),
            ("number", {"minimum", "exclusiveMaximum", "x-maxDecimals"}, number_check),
            ("string", {"minLength", "maxLength", "pattern", "format", "x-maxFractionDigits"}, string_check),
        ):
            if allows(schema.get("type"), kind) and (keywords & set(schema) or "type" in schema):
                check = make(schema, check)
        checks = [check] if check is not accept else []
        if "$ref" in schema:
            checks.append(self._target(schema["$ref"]))
        if "const" in schema:
            checks.append(const_check(schema["const"]))
        if "enum" in schema:
            checks.append(enum_check(schema["enum"], self._version))
        checks += [self._compile(branch) for branch in schema.get("allOf", ())]
        if "if" in schema and "then" in schema:
            checks.append(self._branch(schema["if"], schema["then"]))
        checks += [_rule(rule) for rule in schema.get("x-rules", ())]
        return all_of(checks)

    def _target(self, reference: str) -> Check:
        if reference not in self._targets:
            self._targets[reference] = None
            self._targets[reference] = self._compile(self._find(reference))
        found = self._targets[reference]

        def check(value: Any, at: Location, violations: Violations, now: datetime) -> None:
            target = self._targets[reference]
            if target is not None:
                target(value, at, violations, now)

        return found or check

    def _find(self, reference: str) -> Any:
        found = self._root
        pointer = unquote(reference.removeprefix("#"))
        try:
            if pointer and not pointer.startswith("/"):
                raise KeyError(pointer)
            for step in pointer.split("/")[1:]:
                name = step.replace("~1", "/").replace("~0", "~")
                found = found[int(name)] if isinstance(found, list) else found[name]
        except (LookupError, TypeError, ValueError):
            raise UnknownKeyword(f"$ref {reference} (only references within the schema)") from None
        return found

    def _branch(self, condition: Any, consequence: Any) -> Check:
        applies, then = self._compile(condition), self._compile(consequence)
        named = _string_condition(condition)
        if named is not None:
            name, wanted = named

            def quick(value: Any, at: Location, found: Violations, now: datetime) -> None:
                if isinstance(value, dict) and value.get(name) == wanted:
                    then(value, at, found, now)

            return quick

        def check(value: Any, at: Location, found: Violations, now: datetime) -> None:
            probe = Violations()
            applies(value, at, probe, now)
            if not probe.total:
                then(value, at, found, now)

        return check

    def _array(self, schema: Schema, otherwise: Check) -> Check:
        fewest = int(schema.get("minItems", 0))
        each = self._compile(schema.get("items", True))

        def check(value: Any, at: Location, found: Violations, now: datetime) -> None:
            if not isinstance(value, list):
                otherwise(value, at, found, now)
                return
            if len(value) < fewest:
                found.add(at, "minItems", too_few(fewest, "item", len(value)))
            if each is not accept:
                for index, item in enumerate(value):
                    each(item, (at, index), found, now)

        return check

    def _object(self, schema: Schema, otherwise: Check) -> Check:
        required = schema.get("required", [])
        properties = schema.get("properties", {})
        fields = [(name, name in required, self._compile(sub)) for name, sub in properties.items()]
        fields += [(name, True, accept) for name in required if name not in properties]

        def check(value: Any, at: Location, found: Violations, now: datetime) -> None:
            if not isinstance(value, dict):
                otherwise(value, at, found, now)
                return
            for name, must, field in fields:
                member = value.get(name, _MISSING)
                if member is not _MISSING:
                    field(member, (at, name), found, now)
                elif must:
                    found.add((at, name), "required", "is missing")

        return check


def _rule(parameters: Mapping[str, Any]) -> Check:
    rule = RULES[parameters["rule"]](parameters)

    def check(value: Any, at: Location, found: Violations, now: datetime) -> None:
        if isinstance(value, dict):
            rule(value, at, found, now)

    return check


def _string_condition(condition: Any) -> tuple[str, str] | None:
    """Return name and value of a condition that one field has one string, which needs no probing."""
    if not isinstance(condition, dict) or set(condition) | {"type"} != {"type", "properties", "required"}:
        return None
    if condition.get("type", "object") != "object":
        return None
    ((name, field), *more) = condition["properties"].items() or [("", None)]
    wanted = field.get("const") if isinstance(field, dict) and set(field) == {"const"} else None
    if more or condition["required"] != [name] or not isinstance(wanted, str):
        return None
    return name, wanted
