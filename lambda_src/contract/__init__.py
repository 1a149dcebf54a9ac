"""The event contract: one JSON Schema, and the checks that are compiled from it.

The schema (``event.schema.json``) is the only source: the producer generates events from it, the processor
validates with it, and docs/contract.md is generated from it. The package uses the standard library alone.
"""

from contract.decoding import MalformedBody, content_hash, decode, encoded, same_json
from contract.limits import MAX_DEPTH, MAX_NUMBER_LENGTH
from contract.timestamps import parse_rfc3339
from contract.violations import Violation, Violations


class UnusableSchema(ImportError):
    """The schema cannot be the contract. `tools` prints it without a traceback to who edits the schema."""


try:
    from contract.events import (
        EVENT_TYPES,
        ORDER,
        SCHEMA,
        SCHEMA_VERSION,
        declared,
        declared_fields,
        is_large_order,
        read,
        resolve,
        validate,
    )
except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as _error:
    raise UnusableSchema(
        f"lambda_src/contract/event.schema.json cannot be used as the contract: {_error!r:.300}"
    ) from _error

__all__ = [
    "EVENT_TYPES",
    "ORDER",
    "SCHEMA",
    "SCHEMA_VERSION",
    "MAX_DEPTH",
    "MAX_NUMBER_LENGTH",
    "MalformedBody",
    "UnusableSchema",
    "Violation",
    "Violations",
    "content_hash",
    "declared",
    "declared_fields",
    "decode",
    "encoded",
    "is_large_order",
    "parse_rfc3339",
    "read",
    "resolve",
    "same_json",
    "validate",
]
