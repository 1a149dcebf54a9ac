"""Make a dictionary from the contract: its names and enums, general names, and the shape of JSON.

It knows nothing of what the producer sends, so that it is worth the same for everybody's events. The invented
events below only teach it how often each letter, length and distance occurs in JSON.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from storage import zstd

T = TypeVar("T")
Schema = Mapping[str, Any]

_SAMPLES = 600
# Names that JSON of any shop may have.
_NAMES = Path(__file__).with_name("names.txt").read_text("utf-8").split()
_SPACED = (
    '": true, "": false, "": null, "": {"": 0, "": [{"": "", "": ""}, {"": "_id":"","_at":"2026-","Id":"",'
)
_DENSE = '":true,"":false,"":null,"":[],"":{},"":[{"id":"","":0.00,"":100,"":"","":{"'
# As often as in English.
_LETTERS = (
    "eeeeeeeeeeeetttttttttaaaaaaaaooooooooiiiiiiinnnnnnnsssssshhhhhrrrrrrddddllllcccuuummmwwffggyyppbbvk"
)
_ALPHANUMERIC = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ALPHABETS = (_ALPHANUMERIC[:10], _ALPHANUMERIC[:16], _ALPHANUMERIC[:36], _ALPHANUMERIC)


def make_dictionary(schema: Schema) -> bytes:
    """Return a dictionary for events of a contract. Raises ZstdMissing."""
    invented = [_Inventor(schema, number).event() for number in range(_SAMPLES)]
    return zstd.finalize_dictionary(_text(schema).encode(), [_dump(event).encode() for event in invented])


def _text(schema: Schema) -> str:
    """Return what events have in common. zstd encodes what stands nearer to the end in fewer bits."""
    members = [_member(schema, *member) for type_ in _types(schema) for member in _properties(schema, type_)]
    members += [_member(schema, *member) for member in _properties(schema, schema)]
    return "".join([*(f'","{name}":"' for name in _NAMES), _SPACED, _DENSE, *members, '{"event_id":"'])


def _types(schema: Schema) -> list[Schema]:
    """Return the event types, the most common last: activities, payments, orders."""
    return [schema["$defs"][name] for name in reversed(schema["properties"]["event_type"]["enum"])]


def _properties(schema: Schema, type_: Schema) -> list[tuple[str, Schema]]:
    return [(name, _resolved(schema, field)) for name, field in type_["properties"].items()]


def _resolved(schema: Schema, field: Schema) -> Schema:
    return schema["$defs"][field["$ref"].rpartition("/")[2]] if "$ref" in field else field


def _member(schema: Schema, name: str, field: Schema) -> str:
    if "enum" in field:
        examples: Sequence[str] = [f'"{value}"' for value in field["enum"]]
    elif field["type"] == "array":
        item = _resolved(schema, field["items"])
        one = "".join([_member(schema, *member) for member in _properties(schema, item)]).rstrip(",")
        examples = [f"[{{{one}}},{{{one}}}]"]
    elif "format" in field:
        examples = ['"2026-01-01T00:00:00Z"', '"2026-11-22T12:00:00.000Z"']
    elif "pattern" in field:
        examples = ['"USD"', '"EUR"']
    else:
        examples = [{"string": '""', "integer": "1"}.get(field["type"], "0.00")]
    return "".join([f'"{name}":{example},' for example in examples])


class _Inventor:
    """Invents one event. Every run, and every version of Python, invents the same for a number."""

    def __init__(self, schema: Schema, number: int) -> None:
        self._schema = schema
        # Python promises the same values across versions for `random()` alone.
        self._random = Random(number).random  # noqa: S311 - no secret
        self._words: list[str] = re.findall(r"[A-Za-z]+", " ".join(_descriptions(schema)))

    def event(self) -> dict[str, Any]:
        type_ = self._pick(_types(self._schema))
        return {**self._object(self._schema), **self._object(type_), **self._members(15)}

    def _object(self, type_: Schema) -> dict[str, Any]:
        return {name: self._declared(field) for name, field in _properties(self._schema, type_)}

    def _declared(self, field: Schema) -> Any:
        if "enum" in field:
            return self._pick(field["enum"])
        if "format" in field:
            return self._time()
        if "pattern" in field:
            return self._pick(("EUR", "USD", "GBP"))
        if field["type"] == "array":
            item = _resolved(self._schema, field["items"])
            return [{**self._object(item), **self._members(3)} for _ in range(1 + self._below(3))]
        if field["type"] == "string":
            return self._id()
        return 1 + self._below(5) if field["type"] == "integer" else self._below(100_000) / 100

    def _members(self, most: int, depth: int = 1) -> dict[str, Any]:
        return {self._name(): self._any(depth) for _ in range(1 + self._below(most))}

    def _any(self, depth: int) -> Any:
        kind = self._below(12)
        if kind < 4 or (kind > 9 and depth > 2):
            return self._phrase()
        if kind < 7:
            return self._id()
        if kind < 9:
            return self._pick(
                (self._below(10), self._below(100), self._below(10_000), self._below(10_000) / 100)
            )
        if kind == 9:
            return self._pick((True, False, None, True, False, self._time()))
        if kind == 10:
            return self._members(6, depth + 1)
        return [self._any(depth + 2) for _ in range(self._below(4))]

    def _name(self) -> str:
        one, other = self._word().lower(), self._word().lower()
        joined = (one, one, f"{one}_{other}", f"{one}{other.title()}", f"{one}_id", f"{one}Id")
        return self._pick(joined) if self._below(3) else self._pick(_NAMES)

    def _phrase(self) -> str:
        words = " ".join([self._word() for _ in range(1 + self._below(8))])
        return words.capitalize() if self._below(2) else words

    def _word(self) -> str:
        if self._below(2):
            return self._pick(self._words)
        return "".join([self._pick(_LETTERS) for _ in range(2 + self._below(8))])

    def _id(self) -> str:
        alphabet = self._pick(_ALPHABETS)
        return self._pick(("", "", "ord-", "A-")) + "".join(
            [self._pick(alphabet) for _ in range(4 + self._below(20))]
        )

    def _time(self) -> str:
        day = f"2026-{1 + self._below(12):02}-{1 + self._below(28):02}"
        time = f"{self._below(24):02}:{self._below(60):02}:{self._below(60):02}"
        return f"{day}T{time}{self._pick(('Z', f'.{self._below(1000):03}Z'))}"

    def _below(self, bound: int) -> int:
        return int(self._random() * bound)

    def _pick(self, options: Sequence[T]) -> T:
        return options[self._below(len(options))]


def _descriptions(schema: Any) -> list[str]:
    if isinstance(schema, Mapping):
        own = [schema["description"]] if isinstance(schema.get("description"), str) else []
        return own + [text for value in schema.values() for text in _descriptions(value)]
    return [text for value in schema for text in _descriptions(value)] if isinstance(schema, list) else []


def _dump(event: Mapping[str, Any]) -> str:
    return json.dumps(event, separators=(",", ":"))
