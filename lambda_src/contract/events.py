"""The contract: the schema, and the checks that it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from importlib.resources import files
from typing import Any

from contract.compiler import compile_schema
from contract.decoding import MalformedBody, decode, decode_with_faults
from contract.timestamps import normalize_rfc3339
from contract.violations import Violations

# Decoded as an event is: a bound of 0.1 is the decimal 0.1.
SCHEMA: dict[str, Any] = decode(files("contract").joinpath("event.schema.json").read_text("utf-8"))
SCHEMA_VERSION: str = SCHEMA["x-version"]
EVENT_TYPES: tuple[str, ...] = tuple(SCHEMA["properties"]["event_type"]["enum"])
ORDER = "order"
# Keys of tables and indexes.
_COMMON = ("event_id", "event_type", "occurred_at", "customer_id")

_check = compile_schema(SCHEMA)


def resolve(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference such as ``#/$defs/order`` in the contract's schema."""
    if "$ref" not in schema:
        return schema
    found: Any = SCHEMA
    for step in schema["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return resolve(found)


for _name in _COMMON:
    _field = resolve(SCHEMA["properties"][_name])
    _is_text = _field.get("type") == "string" or all(
        isinstance(text, str) for text in _field.get("enum", [0])
    )
    if _name not in SCHEMA["required"] or not _is_text:
        raise ValueError(f"{_name} must be required, and text")

_FIELDS: dict[str, dict[str, Mapping[str, Any]]] = {
    branch["if"]["properties"]["event_type"]["const"]: {
        name: resolve(field)
        for name, field in {**SCHEMA["properties"], **resolve(branch["then"]).get("properties", {})}.items()
    }
    for branch in SCHEMA["allOf"]
}
_TIMESTAMPS = {
    event_type: [name for name, field in fields.items() if field.get("format") == "date-time"]
    for event_type, fields in _FIELDS.items()
}


def validate(event: Any, now: datetime) -> Violations:
    """Check a decoded event (see `contract.decode`) against the contract.

    ``now`` is an aware datetime; an event that occurred more than 5 minutes after it is invalid. Returns
    every violation; an empty list means that the event is valid.
    """
    found = Violations()
    _check(event, (), found, now)
    return found


def read(body: str, now: datetime, raw: bytes | None = None) -> tuple[Any, Violations]:
    """Decode a message body and check it against the contract.

    Returns what could be decoded (None if nothing could) and every violation. A body that is not JSON, or is
    nested too deeply, is one violation at ``$``. Only if NaN or Infinity makes it invalid JSON are the
    places reported as well.
    ``raw`` is the body in UTF-8, if the caller has it.
    """
    try:
        event, faults = decode_with_faults(body, raw)
    except MalformedBody as malformed:
        found = Violations()
        found.add((), malformed.rule, str(malformed))
        return None, found
    found = validate(event, now)
    for fault in faults:
        found.add(*fault)
    return event, found


def is_large_order(event: dict[str, Any], threshold: Decimal) -> bool:
    """Whether a valid event is an order of strictly more than the threshold, in its own currency."""
    return bool(event["event_type"] == ORDER and event["amount"] > threshold)


def declared_fields(event_type: str) -> Mapping[str, Mapping[str, Any]]:
    """Return the fields that the contract declares for an event type, each with its schema."""
    return _FIELDS[event_type]


def declared(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a valid event that the contract declares for its type, timestamps in UTC.

    A field that its type does not declare may have the name of one of another type, and any value.
    """
    event_type = event["event_type"]
    fields = _FIELDS[event_type]
    known = {name: value for name, value in event.items() if name in fields}
    for name in _TIMESTAMPS[event_type]:
        if name in known:
            known[name] = normalize_rfc3339(known[name])
    return known
