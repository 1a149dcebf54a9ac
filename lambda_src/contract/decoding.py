"""Decodes message bodies. Numbers never become binary floats."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any


class MalformedBody(ValueError):
    """The body is not JSON; the message says why.

    ``partial`` is the decoded value if the only fault is NaN or Infinity, which Python reads.
    """

    def __init__(self, reason: str, partial: Any = None) -> None:
        super().__init__(reason)
        self.partial = partial


class Unreadable:
    """Replaces NaN, Infinity, or a number whose exponent has more than 18 digits, in a decoded value."""

    def __init__(self, literal: str) -> None:
        self.literal = literal


class _Constant(Exception):
    """Ends fast decoding at a literal that is not JSON."""


def _leave(literal: str) -> Any:
    raise _Constant(literal)


def _decoder(
    constant: Callable[[str], Any],
    real: Callable[[str], Any] = Decimal,
    integer: Callable[[str], Any] | None = None,
) -> json.JSONDecoder:
    return json.JSONDecoder(parse_float=real, parse_int=integer, parse_constant=constant)


_FAST = _decoder(_leave)


def _decimal(literal: str) -> Any:
    try:
        return Decimal(literal)
    except InvalidOperation:  # an exponent of more than 18 digits
        return Unreadable(literal[:40])


def decode(body: str) -> Any:
    """Decode a message body. Every number with a fraction or an exponent becomes a Decimal.

    Of a key that an object has twice, the last value is used.
    Raises MalformedBody when the body is not JSON (RFC 8259), or nested deeper than Python's recursion
    limit.
    """
    try:
        return _FAST.decode(body)
    except json.JSONDecodeError as error:
        raise MalformedBody(f"not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise MalformedBody("not readable: nested too deeply") from None
    except (_Constant, ArithmeticError, ValueError):
        # NaN, an exponent that Decimal refuses, or an integer above CPython's limit of 4,300 digits.
        return _decode_slowly(body)


def _decode_slowly(body: str) -> Any:
    constants: list[str] = []

    def constant(literal: str) -> Unreadable:
        constants.append(literal)
        return Unreadable(literal)

    try:
        value = _decoder(constant, _decimal, _decimal).decode(body)
    except json.JSONDecodeError as error:
        raise MalformedBody(f"not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise MalformedBody("not readable: nested too deeply") from None
    if constants:
        raise MalformedBody(f"not JSON: {constants[0]} is no JSON value", partial=value)
    return value


def content_hash(body: str) -> str:
    """Return the SHA-256 (hex) of the body's UTF-8 bytes, which identifies an event's content."""
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()


def same_json(one: str, other: str) -> bool:
    """Whether two bodies have the same JSON value, whatever their white space, key order and number format.

    Raises MalformedBody when one of them is not JSON.
    """
    try:
        return bool(_comparable(decode(one)) == _comparable(decode(other)))
    except RecursionError:
        return False


def _comparable(value: Any) -> Any:
    # In Python True == 1; in JSON they differ.
    if isinstance(value, dict):
        return {key: _comparable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    if isinstance(value, Unreadable):
        return ("unreadable", value.literal)
    return (isinstance(value, bool), value)
