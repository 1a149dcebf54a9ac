"""Decide whether a body is the customer's, or another's that mentions the customer."""

import json
import re
from enum import Enum
from functools import partial
from typing import Any

_OWNER = "customer_id"
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_SHORT_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
# A body in a line in a query's result has escapes of escapes of escapes.
_NESTED_ESCAPES = 3


class Relation(Enum):
    """Whose a body is: the customer's, another's that names the customer's id, or neither."""

    OWN = "own"
    MENTION = "mention"
    ABSENT = "absent"


class _Number(str):
    """A number as it is written, which is no string of the JSON text."""

    __slots__ = ()


class _Object(list[tuple[str, Any]]):
    """The members of a JSON object, with those that have the same name."""


_parse = partial(
    json.loads, object_pairs_hook=_Object, parse_int=_Number, parse_float=_Number, parse_constant=_Number
)


class Customer:
    """The id to erase. JSON must have it as a whole string, other text as a token between delimiters.

    Letters, digits, ``_`` and ``-`` are no delimiters: ``c-1`` is not in ``c-10``, nor in ``c-1-b``.
    """

    def __init__(self, customer_id: str) -> None:
        self.id = customer_id
        self._bytes = customer_id.encode()
        self._token = re.compile(rf"(?<![\w-]){re.escape(customer_id)}(?![\w-])")

    def relation(self, body: bytes) -> Relation:
        """Return whose a body is. Without a ``customer_id``, or if it is not JSON, it is whose id it has."""
        if not self.may_be_in(body):
            return Relation.ABSENT
        text = body.decode("utf-8-sig", "replace")
        try:
            value = _parse(text)
        except (ValueError, RecursionError):
            return Relation.OWN if self.in_text(text) else Relation.ABSENT
        members = value if isinstance(value, _Object) else []
        owners = [member for name, member in members if name == _OWNER and isinstance(member, str)]
        if self.id in owners:
            return Relation.OWN
        if not self._is_string_of(value):
            return Relation.ABSENT
        return Relation.MENTION if owners else Relation.OWN

    def may_be_in(self, data: bytes) -> bool:
        """Return False if neither the id is in the data nor an escape, which could hide it."""
        return self._bytes in data or b"\\" in data

    def in_text(self, text: str) -> bool:
        """Return whether the id is a token of a text, as it is or after the escapes of JSON are resolved."""
        for _ in range(_NESTED_ESCAPES):
            if self.id in text and self._token.search(text):
                return True
            if "\\" not in text:
                return False
            text = _unescape(text)
        return self._token.search(text) is not None

    def _is_string_of(self, value: Any) -> bool:
        remaining = [value]
        while remaining:
            each = remaining.pop()
            if isinstance(each, list | tuple):
                remaining.extend(each)
            elif isinstance(each, str) and each == self.id and not isinstance(each, _Number):
                return True
        return False


def _unescape(text: str) -> str:
    def char(found: re.Match[str]) -> str:
        return chr(int(found[1], 16)) if found[1] else _SHORT_ESCAPES.get(found[2], found[2])

    # Two escapes may be the halves of one character.
    return _ESCAPE.sub(char, text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
