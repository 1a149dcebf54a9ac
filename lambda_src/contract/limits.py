"""Limits that a decoded body no longer shows: nesting, the length of numbers, and keys given twice.

Scanning a text token by token takes ten times as long as decoding it. So cheap counts decide for almost every
body that it has no such fault, and only the others are scanned (docs/adr/0035).
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from gc import get_referents
from typing import Any, NamedTuple

from contract.violations import Location

# The root is level 1. Python's own limit is between 990 and 10,000, depending on its version.
MAX_DEPTH = 64
MAX_NUMBER_LENGTH = 100

# A number of 101 characters has at most 4 that are not digits and at most 3 runs of digits, so one run has at
# least 33. Of such a run, 3 neighbours in a sample of each 11th character are digits.
_STEP = 11
_AS_ZERO = bytes(b"0"[0] if chr(byte).isdigit() and byte < 128 else 0 for byte in range(256))
_LONG_NUMBER = re.compile(rb"[-+.0-9eE]{%d}" % (MAX_NUMBER_LENGTH + 1))
_TOKEN = re.compile(
    r"""
    (?P<string>"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z))(?P<colon>[ \t\r\n]*:)?
    | (?P<open>[\[{])
    | (?P<close>[\]}])
    | (?P<comma>,)
    | (?P<number>-?[0-9][-+.0-9eE]*)
    """,
    re.VERBOSE | re.DOTALL,
)


class Fault(NamedTuple):
    """A broken limit: where, the rule's name, and the reason."""

    location: Location
    rule: str
    reason: str


def may_break_limits(raw: bytes, value: Any) -> bool:
    """Whether a body must be scanned. ``value`` is the body as decoded. False is certain, True is not."""
    levels, members = _levels(value)
    return _too_deep(levels) or _may_repeat_keys(raw, levels, members) or _may_have_long_number(raw)


def _levels(value: Any) -> tuple[list[list[Any]], int]:
    """Return the values in containers of each level, and the number of members of all objects."""
    levels: list[list[Any]] = []
    members = 0
    above = [value]
    while values := _values_in(above):
        levels.append(values)
        members += len(values) - sum([len(one) for one in above if type(one) is list])
        above = values
    return levels, members


# The referents of a dict or list of JSON are exactly its values. A loop in Python takes four times as long.
if not get_referents(Decimal(1)):

    def _values_in(values: list[Any]) -> list[Any]:
        return get_referents(*values)

else:  # From Python 3.13 on, a Decimal refers to its class.

    def _values_in(values: list[Any]) -> list[Any]:
        return get_referents(*[one for one in values if type(one) is dict or type(one) is list])


def _too_deep(levels: list[list[Any]]) -> bool:
    # Below the last level are only empty containers, if any.
    full = len(levels) == MAX_DEPTH and any(type(one) in (dict, list) for one in levels[-1])
    return full or len(levels) > MAX_DEPTH


def _may_repeat_keys(raw: bytes, levels: list[list[Any]], members: int) -> bool:
    """Whether the text may have more members than the decoded value, by its colons."""
    # bytes.replace finds its character faster than bytes.count.
    colons = len(raw) - len(raw.replace(b":", b""))
    if colons == members:
        return False
    if b"\\" in raw and (b"\\u003a" in raw or b"\\u003A" in raw):
        return True  # a colon in a value that is none in the text
    for values in levels:
        colons -= sum([text.count(":") for text in values if type(text) is str])
        if colons == members:
            return False
    return True


def _may_have_long_number(raw: bytes) -> bool:
    sample = raw[::_STEP].translate(_AS_ZERO)
    at = sample.find(b"000")
    while at >= 0:
        first = at * _STEP
        if raw[first : first + 2 * _STEP].isdigit() and _LONG_NUMBER.search(
            raw, max(0, first - MAX_NUMBER_LENGTH), first + MAX_NUMBER_LENGTH + 1
        ):
            return True
        at = sample.find(b"000", at + 1)
    return False


class _Container:
    """An open object or list of the scanned text: its names so far if it is an object, and where it is."""

    def __init__(self, location: Location, *, is_object: bool) -> None:
        self.location = location
        self.names: set[str] | None = set() if is_object else None
        self.key: str | int = 0


def find_faults(body: str) -> list[Fault]:
    """Scan a body that is JSON, or the part of it that is, and return the limits that it breaks.

    The scan ends with the fault ``max_depth`` where the nesting becomes too deep.
    """
    faults: list[Fault] = []
    stack: list[_Container] = []
    for token in _TOKEN.finditer(body):
        kind, text = token.lastgroup, token[0]
        here = stack[-1] if stack else None
        place: Location = (here.location, here.key) if here else ()
        if kind == "open":
            if len(stack) == MAX_DEPTH:
                faults.append(Fault((), "max_depth", f"must have at most {MAX_DEPTH} levels of nesting"))
                break
            stack.append(_Container(place, is_object=text == "{"))
        elif kind == "close" and stack:
            stack.pop()
        elif kind == "number" and len(text) > MAX_NUMBER_LENGTH:
            reason = f"must be a number of at most {MAX_NUMBER_LENGTH} characters, but has {len(text)}"
            faults.append(Fault(place, "max_number_length", reason))
        elif kind == "comma" and here and isinstance(here.key, int):
            here.key += 1
        elif kind == "colon" and here and here.names is not None:
            here.key = name = str(json.loads(token["string"], strict=False))
            if name in here.names:
                faults.append(Fault((here.location, name), "duplicate_key", "is given more than once"))
            here.names.add(name)
    return faults
