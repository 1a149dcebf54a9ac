"""From the bytes of a message body to an event, without a binary float on the way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any


class MalformedBody(ValueError):
    """The body is not JSON; the message says why, in plain words.

    ``partial`` is what could be read all the same: set when NaN or Infinity, which Python reads and JSON
    does not have, is the only fault.
    """

    def __init__(self, reason: str, partial: Any = None) -> None:
        super().__init__(reason)
        self.partial = partial


class Unreadable:
    """Stands where a body had NaN or Infinity, or a number with an exponent of more than 18 digits."""

    def __init__(self, literal: str) -> None:
        self.literal = literal


class _Constant(Exception):
    """Leaves the fast decoder when it meets a literal that is not JSON."""


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
    """Read a message body as JSON; every number with a fraction or an exponent becomes a Decimal.

    Of a key that stands twice in an object the last one counts, as in JavaScript and Python.
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
        # Rare and harmless: a NaN, a number whose exponent no Decimal holds, an integer of more than
        # 4,300 digits (CPython's limit for int()). All are read the slow way, digit for digit.
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
    """SHA-256 (hex) of the body's UTF-8 bytes: the identity of an event's content as it was sent."""
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()


def same_json(one: str, other: str) -> bool:
    """Whether two bodies hold the same JSON value: order of keys, white space and 1.0 against 1.00 aside.

    Raises MalformedBody when one of them is not JSON.
    """
    try:
        return bool(_comparable(decode(one)) == _comparable(decode(other)))
    except RecursionError:
        return False


def _comparable(value: Any) -> Any:
    # Python holds True == 1; JSON does not.
    if isinstance(value, dict):
        return {key: _comparable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    if isinstance(value, Unreadable):
        return ("unreadable", value.literal)
    return (isinstance(value, bool), value)
