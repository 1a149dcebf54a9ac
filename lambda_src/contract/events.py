"""The contract: the schema, and the checks that it stands for."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from importlib.resources import files
from typing import Any

from contract.compiler import compile_schema
from contract.decoding import MalformedBody, decode
from contract.violations import Violations

SCHEMA: dict[str, Any] = json.loads(files("contract").joinpath("event.schema.json").read_text("utf-8"))
SCHEMA_VERSION: str = SCHEMA["x-version"]
EVENT_TYPES: tuple[str, ...] = tuple(SCHEMA["properties"]["event_type"]["enum"])
ORDER = "order"

_check = compile_schema(SCHEMA)


def _resolve(schema: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference such as ``#/$defs/order``."""
    if "$ref" not in schema:
        return schema
    found: Any = SCHEMA
    for step in schema["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


_DECLARED = {
    branch["if"]["properties"]["event_type"]["const"]: frozenset(
        [*SCHEMA["properties"], *_resolve(branch["then"]).get("properties", ())]
    )
    for branch in SCHEMA["allOf"]
}


def validate(event: Any, now: datetime) -> Violations:
    """Check a decoded event (see `contract.decode`) against the contract.

    ``now`` is an aware datetime; an event that occurred more than 5 minutes after it is invalid. Returns
    every violation; an empty list means that the event is valid.
    """
    found = Violations()
    _check(event, (), found, now)
    return found


def read(body: str, now: datetime) -> tuple[Any, Violations]:
    """Decode a message body and check it against the contract.

    Returns what could be decoded (None if nothing could) and every violation. A body that is not JSON is one
    violation at ``$``; if NaN or Infinity is its only fault, the place is reported as well.
    """
    try:
        event = decode(body)
    except MalformedBody as malformed:
        if malformed.partial is None:
            event, found = None, Violations()
        else:
            event, found = malformed.partial, validate(malformed.partial, now)
        found.add((), "json", str(malformed))
        return event, found
    return event, validate(event, now)


def is_large_order(event: dict[str, Any], threshold: Decimal) -> bool:
    """Whether a valid event is an order of strictly more than the threshold, in its own currency."""
    return bool(event["event_type"] == ORDER and event["amount"] > threshold)


def declared_fields(event_type: str) -> frozenset[str]:
    """Return the fields that the contract declares for an event type."""
    return _DECLARED[event_type]
