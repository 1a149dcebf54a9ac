"""tests/data/contract_vectors.json: bodies and verdicts for other implementations of the contract.

Bodies are made from the schema: each declared field is removed, and gets values of other types and at
its bounds.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import product
from typing import Any

import contract

NOW = datetime(2026, 11, 22, 14, 4, tzinfo=UTC)
# The rules that a validator of JSON Schema does not check.
BEYOND_SCHEMA = (
    *("json", "max_depth", "max_number_length", "duplicate_key", "unicode"),
    *("x-maxDecimals", "not_in_future", "amount_equals_items"),
)

Fields = dict[str, str]
_ITEM = {"sku": '"sku-1"', "quantity": "2", "unit_price": "15.25"}
_OTHER_TYPES = ("null", "true", "0", "-1", "1.0", "1.5", '""', '"x"', "[]", "{}", "[1]", '{"a": 1}')
_NUMBERS = ("-0.0", "0.0001", "0.00001", "1e2", "30.50000", "1E-2", "1e400", "-1e-400", '"30.5"')
_DATES = ("2026-11-22", "2024-02-29", "2026-02-29", "0001-01-01", "0000-01-01", "2026-13-01", "2026-04-31")
_TIMES = ("14:03:07", "00:00:00", "23:59:60", "23:59:59", "24:00:00", "14:60:00", "14:03")
_FRACTIONS = ("", ".1", ".123456789", ".1234567891", ".")
_OFFSETS = ("Z", "z", "+01:00", "-23:59", "+24:00", "", "+0100", "Z\\n")
_BODIES = (
    *("", " ", "nul", "{'a': 1}", "[]", '"x"', "1", "null", "true", "{}", "[{}]", "\ufeff{}", "{} {}"),
    *('{"a": "\t"}', '{"a": NaN}', '{"a": -Infinity}', '{"a": 01}', '{"a": 1.}', '{"a": .5}', '{"a": +1}'),
)
_EXTRAS = (
    *(
        '"note": "\\ud83d\\ude00"',
        '"note": "\\ud83d"',
        '"note": ""',
        '"\\u0000": 1',
        '"note": {"a": [null, {}]}',
    ),
    *(f'"n": {"9" * 100}', f'"n": {"9" * 101}', '"n": 1e-999999', '"a": 1, "a": 1', '"a": {"b": 1, "b": 2}'),
    *(f'"d": {"[" * depth}{"]" * depth}' for depth in (1, 62, 63, 64, 500)),
)


def valid_events() -> dict[str, Fields]:
    """Return one valid event of each type, as the JSON texts of its fields."""
    values = {
        "occurred_at": '"2026-11-22T14:03:07.250Z"',
        "currency": '"EUR"',
        "amount": "30.5",
        "items": f"[{as_object(_ITEM)}]",
    }
    return {
        name: {
            field: values.get(field) or json.dumps(name if field == "event_type" else _example(schema))
            for field, schema in contract.declared_fields(name).items()
            if field in _required(name)
        }
        for name in contract.EVENT_TYPES
    }


def _required(event_type: str) -> list[str]:
    (branch,) = (
        b for b in contract.SCHEMA["allOf"] if b["if"]["properties"]["event_type"]["const"] == event_type
    )
    return [*contract.SCHEMA["required"], *contract.resolve(branch["then"])["required"]]


def _example(schema: Mapping[str, Any]) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    return 1 if schema["type"] in ("number", "integer") else "x1"


def bodies() -> Iterator[str]:
    """Yield all bodies. Some are yielded twice."""
    yield from _BODIES
    for event_type, event in valid_events().items():
        yield as_object(event)
        yield json.dumps(json.loads(as_object(event)), indent=1)
        yield from (f"{as_object(event)[:-1]}, {extra}}}" for extra in _EXTRAS)
        for field, schema in contract.declared_fields(event_type).items():
            yield as_object({name: text for name, text in event.items() if name != field})
            yield from (as_object({**event, field: text}) for text in _values(schema))
        if "items" in event:
            for field, schema in contract.resolve(contract.declared_fields(event_type)["items"]["items"])[
                "properties"
            ].items():
                changed = [{name: text for name, text in _ITEM.items() if name != field}]
                changed += [{**_ITEM, field: text} for text in _values(contract.resolve(schema))]
                yield from (as_object({**event, "items": f"[{as_object(item)}]"}) for item in changed)
    event = valid_events()[contract.EVENT_TYPES[-1]]
    for date, time, fraction, offset in product(_DATES, _TIMES, _FRACTIONS, _OFFSETS):
        if sum((date != _DATES[0], time != _TIMES[0], fraction != "", offset != "Z")) <= 2:
            yield as_object({**event, "occurred_at": f'"{date}T{time}{fraction}{offset}"'})
    for text in ("2026-11-22 14:03:07Z", "20261122T140307Z", "2026-W47-7T14:03:07Z", "2026-11-22T14:09:01Z"):
        yield as_object({**event, "occurred_at": f'"{text}"'})


def _values(schema: Mapping[str, Any]) -> Iterator[str]:
    yield from _OTHER_TYPES
    for value in schema.get("enum", ()):
        yield from (json.dumps(text) for text in (value, value.upper(), f"{value} ", value[:-1]))
    if "enum" not in schema and schema["type"] == "string":
        lengths = {schema.get("minLength", 0), schema["maxLength"]}
        for length in sorted({max(0, each + step) for each in lengths for step in (-1, 0, 1)}):
            yield from (json.dumps(character * length, ensure_ascii=False) for character in "Až😀")
        yield from ('"EUR\\n"', '"\\ud800"', '"EU "', '"eur"', '"\\u0045UR"')
    if schema.get("type") in ("number", "integer"):
        bound = int(schema["exclusiveMaximum"])
        yield from (
            *_NUMBERS,
            str(bound),
            str(bound - 1),
            f"{bound}.0",
            f"1e{len(str(bound)) - 1}",
            "9" * 101,
        )


def as_object(fields: Fields) -> str:
    """Return an object of these fields as JSON text."""
    return f"{{{', '.join(f'{json.dumps(name)}: {text}' for name, text in fields.items())}}}"


def render() -> str:
    """Return the file: one body a line."""
    head = {
        "contract": contract.SCHEMA_VERSION,
        "now": NOW.isoformat(),
        "beyond_schema": BEYOND_SCHEMA,
        "vector": "a body, and [path, rule] of each reason; without reasons it is valid",
    }
    lines = [
        json.dumps([body, [violation[:2] for violation in contract.read(body, NOW)[1]]], ensure_ascii=False)
        for body in dict.fromkeys(bodies())
    ]
    return f'{json.dumps(head)[:-1]}, "vectors": [\n' + ",\n".join(lines) + "\n]}\n"
