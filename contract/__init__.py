"""The event contract: one JSON Schema, and the code that holds events to it.

The schema (``event.schema.json``) is the single source: the producer generates from it, the Lambda
validates by it, docs/contract.md is written from it. How a stored item keeps the body that it came from is
part of it too (``payload``): who reads items needs no other package. It imports nothing but the standard
library.
"""

from contract.decoding import MalformedBody, content_hash, decode, same_json
from contract.events import SCHEMA, SCHEMA_VERSION, is_large_order, read, validate
from contract.timestamps import parse_rfc3339
from contract.violations import Violation, Violations

__all__ = [
    "SCHEMA",
    "SCHEMA_VERSION",
    "MalformedBody",
    "Violation",
    "Violations",
    "content_hash",
    "decode",
    "is_large_order",
    "parse_rfc3339",
    "read",
    "same_json",
    "validate",
]
