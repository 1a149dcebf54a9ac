"""The keywords of JSON Schema that the compiler implements, and the values that they may have."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from contract.rules import RULES

TYPES = ["object", "array", "string", "number", "integer", "boolean", "null"]


class UnknownKeyword(ValueError):
    """The schema uses a keyword, or a value of one, that the compiler does not implement."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the contract compiler does not implement {what}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return _is_number(value) and value >= 0 and value == int(value)


def _is_schema(value: Any) -> bool:
    return isinstance(value, bool | dict)


def _is_text_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_type(value: Any) -> bool:
    names = value if isinstance(value, list) and value else [value]
    return all(isinstance(name, str) and name in TYPES for name in names)


def _is_properties(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_schema, value.values()))


def _is_rule_list(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(rule, dict) and rule.get("rule") in RULES for rule in value
    )


# Each keyword with the test of its value; None is an annotation, which asserts nothing.
_KEYWORDS: dict[str, Callable[[Any], bool] | None] = {
    **dict.fromkeys(["$schema", "$id", "$comment", "$defs", "title", "description", "x-version"]),
    **dict.fromkeys(["default", "examples", "deprecated", "readOnly", "writeOnly"]),
    "$ref": lambda value: isinstance(value, str) and value.startswith("#"),
    "type": _is_type,
    "const": lambda _: True,
    "enum": lambda value: isinstance(value, list),
    "minLength": _is_count,
    "maxLength": _is_count,
    "pattern": lambda value: isinstance(value, str),
    "format": lambda value: value == "date-time",
    "x-maxFractionDigits": _is_count,
    "minimum": _is_number,
    "exclusiveMaximum": _is_number,
    "x-maxDecimals": _is_count,
    "minItems": _is_count,
    "items": _is_schema,
    "required": _is_text_list,
    "properties": _is_properties,
    "allOf": lambda value: isinstance(value, list) and all(map(_is_schema, value)),
    "if": _is_schema,
    "then": _is_schema,
    "x-rules": _is_rule_list,
}


def check_keywords(schema: Any) -> None:
    """Raise UnknownKeyword, naming them, if a schema has keywords or values that are not implemented."""
    if not isinstance(schema, dict):
        raise UnknownKeyword(f"a schema that is {schema!r:.40}")
    unknown = sorted(set(schema) - set(_KEYWORDS))
    if unknown:
        raise UnknownKeyword(", ".join(unknown))
    for name, value in schema.items():
        is_known = _KEYWORDS[name]
        if is_known is not None and not is_known(value):
            raise UnknownKeyword(f"{name} {value!r:.80}")


def with_decimals(schema: Any) -> Any:
    """Return a schema whose binary floats are the decimals that they were written as."""
    if isinstance(schema, dict):
        return {name: with_decimals(value) for name, value in schema.items()}
    if isinstance(schema, list):
        return [with_decimals(value) for value in schema]
    return Decimal(repr(schema)) if isinstance(schema, float) else schema
