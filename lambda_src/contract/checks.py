"""The checks of single values, which the compiler puts together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from typing import Any

from contract.decoding import Unreadable, same_value
from contract.keywords import TYPES, UnknownKeyword
from contract.patterns import UntranslatedPattern, compile_pattern
from contract.timestamps import fraction_digits, parse_rfc3339
from contract.violations import Location, Violations, readable

Check = Callable[[Any, Location, Violations, datetime], None]
Schema = Mapping[str, Any]

_TYPE_NAMES = {
    "string": "a string",
    "number": "a number",
    "integer": "an integer",
    "array": "a list",
    "object": "an object",
    "boolean": "true or false",
    "null": "null",
}
# Enough for every number that the contract allows (100 characters), whatever its exponent.
_EXACT = Context(prec=200, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])
# The length of 2026-11-22T14:03:07. without its fraction and offset.
_SHORTEST_SECONDS = 20


def accept(value: Any, at: Location, found: Violations, now: datetime) -> None:
    """Accept any value."""


def refuse(value: Any, at: Location, found: Violations, now: datetime) -> None:
    """Refuse any value."""
    found.add(at, "false", "is not allowed")


def all_of(checks: list[Check]) -> Check:
    """Return a check that makes all these checks."""
    if not checks:
        return accept
    if len(checks) == 1:
        return checks[0]

    def check(value: Any, at: Location, found: Violations, now: datetime) -> None:
        for one in checks:
            one(value, at, found, now)

    return check


def types_of(stated: str | list[str] | None) -> list[str]:
    """Return the types that a schema allows, from its keyword `type`."""
    return TYPES if stated is None else [stated] if isinstance(stated, str) else stated


def allows(stated: str | list[str] | None, kind: str) -> bool:
    """Whether a schema allows values of a type; integers are numbers."""
    types = types_of(stated)
    return kind in types or (kind == "number" and "integer" in types)


def other_types(stated: str | list[str] | None) -> Check:
    """Check a value that is no string, number, list or object of an allowed type."""
    if stated is None:
        return accept
    types = types_of(stated)
    wanted = " or ".join(_TYPE_NAMES[name] for name in types)
    allowed = {kind for name, kind in (("null", type(None)), ("boolean", bool)) if name in types}

    def check(value: Any, at: Location, found: Violations, now: datetime) -> None:
        if type(value) not in allowed:
            found.add(at, "type", f"must be {wanted}, but is {_describe(value)}")

    return check


def _describe(value: Any) -> str:
    if isinstance(value, Unreadable):
        return value.literal
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    names: dict[type, str] = {str: "a string", dict: "an object", list: "a list"}
    return names.get(type(value), "a number")


def const_check(wanted: Any) -> Check:
    """Check that a value is the wanted one."""
    reason = f"must be {_quoted(wanted)}"

    def check(value: Any, at: Location, found: Violations, now: datetime) -> None:
        if not same_value(value, wanted):
            found.add(at, "const", f"{reason}, but is {_quoted(value)}")

    return check


def enum_check(values: list[Any], version: str | None = None) -> Check:
    """Check that a value is one of the listed ones. The reason names the version of the contract.

    A producer may know a later version, which lists more.
    """
    texts = frozenset(value for value in values if isinstance(value, str))
    others = [value for value in values if not isinstance(value, str)]
    listed = ", ".join(value if isinstance(value, str) else _quoted(value) for value in values)
    listed += f" (contract {version})" if version else ""

    def check(value: Any, at: Location, found: Violations, now: datetime) -> None:
        if isinstance(value, str):
            if value in texts:
                return
        elif any(same_value(value, other) for other in others):
            return
        found.add(at, "enum", f"must be one of {listed}, but is {_quoted(value)}")

    return check


def _quoted(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value[:40]}"'
    number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return readable(value) if number else _describe(value)


def string_check(schema: Schema, otherwise: Check) -> Check:
    """Check strings by the keywords for strings, and other values with ``otherwise``."""
    shortest = int(schema.get("minLength", 0))
    longest = schema.get("maxLength", float("inf"))
    pattern = None
    if "pattern" in schema:
        try:
            pattern = compile_pattern(schema["pattern"])
        except UntranslatedPattern as error:
            raise UnknownKeyword(str(error)) from None
    timestamp = schema.get("format") == "date-time"
    digits = schema.get("x-maxFractionDigits", float("inf"))

    def check(value: Any, at: Location, found: Violations, now: datetime) -> None:
        if not isinstance(value, str):
            otherwise(value, at, found, now)
            return
        length = len(value)
        if length < shortest:
            found.add(at, "minLength", too_few(shortest, "character", length))
        elif length > longest:
            found.add(at, "maxLength", f"must have at most {longest} characters, but has {length}")
        # One reason is enough: the pattern beside a format repeats it for validators that assert no format.
        if timestamp and parse_rfc3339(value) is None:
            reason = f"must be an RFC 3339 timestamp with an offset or Z, but is {_quoted(value)}"
            found.add(at, "format", reason)
        elif timestamp and length > digits + _SHORTEST_SECONDS and fraction_digits(value) > digits:
            reason = f"must have at most {digits} digits after the point of a second"
            found.add(at, "x-maxFractionDigits", reason)
        elif pattern is not None and not pattern.search(value):
            found.add(at, "pattern", f"must match {schema['pattern']}, but is {_quoted(value)}")
        if not value.isascii() and not _is_unicode(value):
            found.add(at, "unicode", "must be Unicode text, but holds half of a surrogate pair")

    return check


def too_few(fewest: int, name: str, length: int) -> str:
    """Return the reason for a text or list that is too short."""
    has = f"has {length}" if length else "is empty"
    return f"must have at least {fewest} {name}{'' if fewest == 1 else 's'}, but {has}"


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def number_check(schema: Schema, otherwise: Check) -> Check:
    """Check numbers by the keywords for numbers, and other values with ``otherwise``."""
    stated = types_of(schema.get("type"))
    integer = "number" not in stated
    least = schema.get("minimum")
    below = schema.get("exclusiveMaximum")
    decimals = schema.get("x-maxDecimals")

    def check(value: Any, at: Location, found: Violations, now: datetime) -> None:
        if type(value) is not int and not isinstance(value, Decimal):
            otherwise(value, at, found, now)
            return
        if least is not None and value < least:
            found.add(at, "minimum", f"must be at least {readable(least)}, but is {readable(value)}")
        elif below is not None and value >= below:
            found.add(at, "exclusiveMaximum", f"must be below {readable(below)}, but is {readable(value)}")
        elif isinstance(value, Decimal):
            places = -int(_EXACT.normalize(value).as_tuple().exponent)
            if integer and places > 0:
                found.add(at, "type", f"must be an integer, but is {readable(value)}")
            if decimals is not None and places > decimals:
                reason = f"must have at most {decimals} decimals, but is {readable(value)}"
                found.add(at, "x-maxDecimals", reason)

    return check
