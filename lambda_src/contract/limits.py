"""Limits that a decoded body no longer shows: nesting, the length of numbers, and keys given twice.

Scanning a text token by token takes ten times as long as decoding it. So cheap counts decide for almost every
body that it has no such fault, and only the others are scanned (docs/adr/0035).
"""

from __future__ import annotations

import json
import re
from gc import get_referents, is_tracked
from typing import Any, NamedTuple

from contract.violations import Location

# The root is level 1. Python's own limit is between 990 and 10,000, depending on its version.
MAX_DEPTH = 64
MAX_NUMBER_LENGTH = 100

# Of a number of 101 characters, a sample of each 20th character has 5 neighbours that may be in a number.
_STEP = 20
_NUMERIC = b"-+.0123456789eE"
_AS_ZERO = bytes(b"0"[0] if byte in _NUMERIC else 0 for byte in range(256))
_NEIGHBOURS = b"0" * 5
# Places that may be a long number, of which more than these are left to the scan.
_MOST_PLACES = 50
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


def may_break_limits(raw: bytes, value: Any, objects: list[dict[str, Any]]) -> bool:
    """Whether a body must be scanned. False is certain, True is not.

    ``value`` is the body as decoded, and ``objects`` are all objects in it.
    """
    return _may_nest(raw, value, objects) or _may_repeat(raw, value, objects) or _may_have_long_number(raw)


def _may_nest(raw: bytes, value: Any, objects: list[dict[str, Any]]) -> bool:
    """Whether the value may be too deep."""
    unseen = len(objects) + _at_most_lists(raw)
    level = [value]
    for depth in range(1, MAX_DEPTH):
        # In most events all containers but a few lie in one list, so that their members are not looked at.
        types = list(map(type, level))
        for container in (dict, list):
            unseen -= types.count(container)
            if depth + unseen <= MAX_DEPTH:
                return False
        level = get_referents(*_containers(level))
        if not level:
            return False
    return True


def _at_most_lists(raw: bytes) -> int:
    """Return how many lists a body may have. Where they are few, finding them takes less than counting."""
    at, found = raw.find(b"["), 0
    while at >= 0:
        found += 1
        if found == MAX_DEPTH:
            return raw.count(b"[")
        at = raw.find(b"[", at + 1)
    return found


def _containers(values: list[Any]) -> list[Any]:
    """Return the lists among these values, and the objects whose members may be containers."""
    # Up to 3.13, Python does not track a dictionary of plain values. From 3.13 on, it tracks Decimals.
    return [one for one in filter(is_tracked, values) if type(one) is dict or type(one) is list]


def _may_repeat(raw: bytes, value: Any, objects: list[dict[str, Any]]) -> bool:
    """Whether the text may have more members, by its colons, than the objects."""
    colons = raw.count(b":") - sum(map(len, objects))
    if not colons:
        return False
    if b"\\" in raw and (b"\\u003a" in raw or b"\\u003A" in raw):
        return True  # a colon in a value that is none in the text
    # In most events only the fields of the root, such as a timestamp, have colons.
    if type(value) is dict and colons == _colons_in(get_referents(value)):
        return False
    lists, level = [], [value]
    while level:
        lists += [one for one in level if type(one) is list]
        level = _containers(get_referents(*level))
    return colons != _colons_in(get_referents(*objects, *lists))


def _colons_in(values: list[Any]) -> int:
    return sum([text.count(":") for text in values if type(text) is str])


def _may_have_long_number(raw: bytes) -> bool:
    sample = raw[::_STEP].translate(_AS_ZERO)
    at = sample.find(_NEIGHBOURS)
    places = 0
    while at >= 0:
        first, places = at * _STEP, places + 1
        if places > _MOST_PLACES or _LONG_NUMBER.search(
            raw, max(0, first - MAX_NUMBER_LENGTH), first + MAX_NUMBER_LENGTH + 1
        ):
            return True
        at = sample.find(_NEIGHBOURS, at + 1)
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
