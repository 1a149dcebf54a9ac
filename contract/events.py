"""The contract itself: the schema, and what it says of an event."""

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

_check = compile_schema(SCHEMA)


def validate(event: Any, now: datetime) -> Violations:
    """Hold a decoded event (see `contract.decode`) against the contract.

    ``now`` is an aware datetime; an event of more than 5 minutes after it is invalid. Returns every
    violation; an empty list means that the event is valid.
    """
    found = Violations()
    _check(event, (), found, now)
    return found


def read(body: str, now: datetime) -> tuple[Any, Violations]:
    """Decode a message body and hold it against the contract, in one step.

    Returns what could be decoded (None when nothing could) and every violation. A body that is not JSON is
    one violation at ``$``; where NaN or Infinity is its only fault, the place is named as well.
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
    return bool(event["event_type"] == "order" and event["amount"] > threshold)
