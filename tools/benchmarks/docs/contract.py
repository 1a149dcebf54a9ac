"""Writes docs/contract.md from the schema (`make docs`); a test fails when the page is stale."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import contract
from tools.core.paths import ROOT

PAGE = ROOT / "docs" / "contract.md"

HEAD = """\
# The event contract, version {version}

Written from [`lambda_src/contract/event.schema.json`](../contract/event.schema.json) by `make docs`; change the schema,
not this page. The schema is JSON Schema draft 2020-12: a producer in any language can check its events with
it.

{description}

The keywords that start with `x-` are this project's: `x-maxDecimals` is the number of decimals that a
value may need, and `x-rules` names the rules that JSON Schema cannot say. Standard validators ignore them,
the function does not.
"""

TAIL = """
## What happens to an event

| an event | ends as |
| --- | --- |
| that holds to the contract, with a new `event_id` | stored; a large order is alerted |
| with the `event_id` and the JSON value of a stored one | a counted duplicate |
| with the `event_id` of a stored one and other content | rejected, alerted as `event_id_conflict` |
| that breaks the contract, or is no JSON at all | rejected with every reason, alerted as `invalid_event` |

A large order is one of strictly more than the threshold, 1000 unless Terraform's
`large_order_threshold` says otherwise; its alert is a `large_order`.

Of a key that stands twice in one object the last one counts. Text must be whole Unicode: half of a
surrogate pair in a named field is a violation. Bodies nested deeper than Python's recursion limit
(about 1,000 levels) are rejected. Numbers are decimal all the way: `0.1` is stored as 0.1.
"""


def page() -> str:
    """The whole page."""
    schema = contract.SCHEMA
    sections = [
        HEAD.format(version=contract.SCHEMA_VERSION, description=schema["description"]),
        "## Every event\n",
        *_table(schema),
    ]
    for branch in schema["allOf"]:
        name = branch["if"]["properties"]["event_type"]["const"]
        sections += [f"\n## `event_type: {name}`\n", *_table(_resolved(branch["then"]))]
        items = _resolved(branch["then"])["properties"].get("items")
        if items:
            sections += ["\nEach of the `items`:\n", *_table(_resolved(items["items"]))]
    return "\n".join(sections) + "\n" + TAIL


def _resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in schema:
        return schema
    target: Mapping[str, Any] = contract.SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    return target


def _table(schema: Mapping[str, Any]) -> Iterator[str]:
    yield "| field | required | what it holds | rules |\n| --- | --- | --- | --- |"
    for name, field in schema["properties"].items():
        field = _resolved(field)
        required = "yes" if name in schema["required"] else "no"
        yield f"| `{name}` | {required} | {field['description']} | {'; '.join(_rules(field))} |"


def _rules(field: Mapping[str, Any]) -> Iterator[str]:
    if "enum" in field:
        yield "one of " + ", ".join(f"`{value}`" for value in field["enum"])
        return
    yield field["type"]
    if field.get("format") == "date-time":
        yield "RFC 3339 with an offset or `Z`"
    if "maxLength" in field:
        yield f"{field['minLength']} to {field['maxLength']} characters"
    if "pattern" in field:
        yield f"matches `{field['pattern']}`"
    if "minimum" in field:
        yield f"at least {field['minimum']}"
    if "exclusiveMaximum" in field:
        yield f"below {field['exclusiveMaximum']:g}"
    if "x-maxDecimals" in field:
        yield f"at most {field['x-maxDecimals']} decimals"
    if "minItems" in field:
        yield "not empty"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE.name}\n")


if __name__ == "__main__":
    main()
