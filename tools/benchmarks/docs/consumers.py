"""The generated sections of docs/consumers.md: an example of each event type, and the attributes of items."""

import json
from collections.abc import Iterator, Mapping

from storage import attributes
from storage.columns import COLUMNS
from tools.benchmarks.docs import vectors
from tools.benchmarks.tables import text_table

_TYPES = {"S": "string", "N": "number", "BOOL": "boolean", "L": "list", "SS": "set of strings"}
# What the archive's columns do not say: whose an attribute is, if it is not always there.
_REMARKS = {
    attributes.PAYLOAD_ENCODING: "always",
    attributes.TYPE_SHARD: "always",
    attributes.LARGE_ORDER_SHARD: "large orders",
    attributes.REJECTED_SHARD: "always",
    attributes.SUMMARY: "always: the first reasons",
    attributes.RULES: "always: the violated rules",
    attributes.EXPIRES_AT: "always: seconds since 1970",
    attributes.ALERT_PENDING: "until its alert is published",
    attributes.CLAIMED_ORIGIN: "if the message named an origin without a valid signature",
    attributes.PAYLOAD_KEY: "a claim check: the key of the payload in the payload bucket",
}


def sections() -> Mapping[str, str]:
    """Return the sections by name."""
    return {"examples": "\n".join(_examples())} | {table: _table(table) for table in COLUMNS}


def _examples() -> Iterator[str]:
    for event in vectors.valid_events().values():
        yield f"```json\n{json.dumps(json.loads(vectors.as_object(event)), indent=2)}\n```\n"


def _table(table: str) -> str:
    rows = [
        [
            f"`{column.name}`",
            _TYPES[column.type],
            "always" if column.required else _REMARKS.get(column.name, ""),
        ]
        for column in COLUMNS[table]
        if column.item
    ]
    if table != "duplicates":
        rows.append([f"`{attributes.PAYLOAD}`", "binary", f"unless there is a `{attributes.PAYLOAD_KEY}`"])
    return text_table(["attribute", "type", "there"], rows)
