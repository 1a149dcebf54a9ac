"""The generated sections of docs/consumers.md: an example of each event type, and the attributes of items."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from storage import attributes
from storage.columns import COLUMNS
from storage.dictionary import D1
from tools.benchmarks.docs import schemas, vectors

DICTIONARY = schemas.DIRECTORY / "zlib-d1.dictionary"

_TYPES = {"S": "string", "N": "number", "BOOL": "boolean", "L": "list", "SS": "set of strings"}
# Attributes that are no columns of the archive's views, and the tables that have them.
_STORED = (
    (attributes.PAYLOAD, "binary", "the encoded body, or", ("events", "rejected")),
    (attributes.PAYLOAD_KEY, "string", "its key in the payload bucket", ("events", "rejected")),
    (attributes.PAYLOAD_ENCODING, "string", "always", ("events", "rejected")),
    (attributes.TYPE_SHARD, "string", "always", ("events",)),
    (attributes.LARGE_ORDER_SHARD, "string", "large orders", ("events",)),
    (attributes.REJECTED_SHARD, "string", "always", ("rejected",)),
    (attributes.SUMMARY, "list of strings", "always: the first reasons", ("rejected",)),
    (attributes.RULES, "set of strings", "always: the violated rules", ("rejected",)),
    (attributes.EXPIRES_AT, "number", "always: seconds since 1970", ("rejected", "duplicates")),
    (attributes.ALERT_PENDING, "string", "until its alert is published", ("events", "rejected")),
    (
        attributes.CLAIMED_ORIGIN,
        "string",
        "an origin without signature",
        ("events", "rejected", "duplicates"),
    ),
)
_DUPLICATES = ("message_id", "event_id", "content_hash", "stored_content_hash", "received_at", "recorded_at")


def sections() -> Mapping[str, str]:
    """Return the sections by name."""
    tables = {table: "\n".join(_table(table)) for table in ("events", "rejected", "duplicates")}
    return {"examples": "\n".join(_examples()), **tables}


def _examples() -> Iterator[str]:
    for event in vectors.valid_events().values():
        yield f"```json\n{json.dumps(json.loads(vectors.as_object(event)), indent=2)}\n```\n"


def _table(table: str) -> Iterable[str]:
    rows = {
        column.name: (_TYPES[column.type], "always" if column.required else "")
        for column in COLUMNS.get(table, ())
        if getattr(column, "item", True)
    }
    rows = rows or dict.fromkeys(_DUPLICATES, ("string", "always"))
    stored = {name: (kind, when) for name, kind, when, tables in _STORED if table in tables}
    yield "| attribute | type | there |\n| --- | --- | --- |"
    yield from (f"| `{name}` | {kind} | {when} |" for name, (kind, when) in {**rows, **stored}.items())


def write_dictionary() -> None:
    """Write the dictionary of zlib as a file, which other languages can read."""
    DICTIONARY.write_bytes(D1)
