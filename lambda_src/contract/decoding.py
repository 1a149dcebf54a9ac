"""Decodes message bodies. Numbers never become binary floats."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Generator
from decimal import Decimal, InvalidOperation
from typing import Any

from contract.limits import MAX_DEPTH, Fault, find_faults, may_break_limits

_MAX_DEPTH_RULE = "max_depth"


class MalformedBody(ValueError):
    """The body is not JSON, or nested too deeply; the message says why and ``rule`` names the broken rule."""

    def __init__(self, reason: str, rule: str = "json") -> None:
        super().__init__(reason)
        self.rule = rule


class Unreadable:
    """Replaces NaN, Infinity, or a number whose exponent has more than 18 digits, in a decoded value."""

    def __init__(self, literal: str) -> None:
        self.literal = literal


class _Constant(Exception):
    """Ends fast decoding at a literal that is not JSON."""


def _leave(literal: str) -> Any:
    raise _Constant(literal)


def _keep_in(objects: list[dict[str, Any]]) -> Generator[dict[str, Any], dict[str, Any], None]:
    """Append each object that is sent to a list, and give it back."""
    keep = objects.append
    members: dict[str, Any] = yield {}
    while True:
        keep(members)
        members = yield members


class _FastDecoder(threading.local):
    """Decodes what is JSON, and lists the objects in it. Each thread has its own."""

    def __init__(self) -> None:
        self._renew()

    def _renew(self) -> None:
        self._objects: list[dict[str, Any]] = []
        # Sending to a generator takes half the time of calling a function, which happens for each object.
        keep = _keep_in(self._objects)
        next(keep)
        self._decoder = json.JSONDecoder(object_hook=keep.send, parse_float=Decimal, parse_constant=_leave)

    def decode(self, body: str) -> tuple[Any, list[dict[str, Any]]]:
        try:
            value = self._decoder.decode(body)
        except BaseException:
            self._renew()  # a generator in which something was raised, such as a RecursionError, has ended
            raise
        objects = self._objects.copy()
        self._objects.clear()
        return value, objects


_fast = _FastDecoder()


def _decimal(literal: str) -> Any:
    try:
        return Decimal(literal)
    except InvalidOperation:  # an exponent of more than 18 digits
        return Unreadable(literal[:40])


def decode(body: str) -> Any:
    """Decode a message body. Every number with a fraction or an exponent becomes a Decimal.

    Of a key that an object has twice, the last value is used. Raises MalformedBody when the body is not JSON
    (RFC 8259), or has more than 64 levels of nesting.
    """
    value, faults = decode_with_faults(body)
    for fault in faults:
        if fault.rule == "json":
            raise MalformedBody(fault.reason)
    return value


def decode_with_faults(body: str, raw: bytes | None = None) -> tuple[Any, list[Fault]]:
    """Decode a message body, and return with it the faults that its value does not show.

    These are duplicate keys, overlong numbers, and NaN or Infinity, which Python reads. ``raw`` is the body
    in UTF-8, if the caller has it. Raises MalformedBody as `decode` does, but for NaN and Infinity.
    """
    constants: list[str] = []

    def constant(literal: str) -> Unreadable:
        constants.append(literal)
        return Unreadable(literal)

    try:
        try:
            value, objects = _fast.decode(body)
        except json.JSONDecodeError:
            raise
        except (_Constant, ArithmeticError, ValueError):
            # NaN, an exponent that Decimal refuses, or an integer above CPython's limit of 4,300 digits.
            exact = json.JSONDecoder(parse_float=_decimal, parse_int=_decimal, parse_constant=constant)
            value = exact.decode(body)
            return value, _scan(body) + [
                Fault((), "json", f"not JSON: {literal} is no JSON value") for literal in constants[:1]
            ]
    except json.JSONDecodeError as error:
        # How deep Python reads before it finds the error depends on its version.
        read = body[: error.pos]
        if read.count("[") + read.count("{") > MAX_DEPTH:
            _scan(read)
        raise MalformedBody(_not_json(body, error)) from None
    except RecursionError:
        _scan(body)
        raise
    raw = encoded(body) if raw is None else raw
    return value, _scan(body) if may_break_limits(raw, value, objects) else []


def _scan(body: str) -> list[Fault]:
    """Return the faults of a body. Raises MalformedBody if it is nested too deeply."""
    faults = find_faults(body)
    if faults and faults[-1].rule == _MAX_DEPTH_RULE:
        raise MalformedBody(faults[-1].reason, _MAX_DEPTH_RULE) from None
    return faults


def _not_json(body: str, error: json.JSONDecodeError) -> str:
    if body.startswith("\ufeff"):
        return "not JSON: it begins with a byte order mark (U+FEFF)"
    return f"not JSON: {error.msg} at character {error.pos}"


def encoded(body: str) -> bytes:
    """Return a body in UTF-8, which is how it is hashed and stored."""
    return body.encode("utf-8", "surrogatepass")


def content_hash(body: str | bytes) -> str:
    """Return the SHA-256 (hex) of the body's UTF-8 bytes, which identifies an event's content."""
    return hashlib.sha256(encoded(body) if isinstance(body, str) else body).hexdigest()


def same_json(one: str, other: str) -> bool:
    """Whether two bodies have the same JSON value, whatever their white space, key order and number format.

    A body that breaks the limits of nesting is the same as no other. Raises MalformedBody when one of them
    is not JSON.
    """
    try:
        return same_value(decode(one), decode(other))
    except MalformedBody as malformed:
        if malformed.rule == _MAX_DEPTH_RULE:
            return False
        raise


def same_value(one: Any, other: Any) -> bool:
    """Whether two decoded values are the same JSON value."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_value(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_value, one, other))
    if isinstance(one, Unreadable) or isinstance(other, Unreadable):
        return isinstance(one, Unreadable) and isinstance(other, Unreadable) and one.literal == other.literal
    # In Python True == 1; in JSON they differ.
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)
