"""Write docs/contract.md from the schema (``make docs``)."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import contract
from tools.core.paths import ROOT

PAGE = ROOT / "docs" / "contract.md"

HEAD = """\
# The event contract, version {version}

`make docs` generates this page from
[`lambda_src/contract/event.schema.json`](../lambda_src/contract/event.schema.json). Change the schema, not
this page. The schema is JSON Schema draft 2020-12, so a producer in any language can validate its events
with it.

{description}

Keywords that start with `x-` are extensions of this project. `x-maxDecimals` is the maximum number of
decimals of a value. `x-rules` names rules that JSON Schema cannot express. Standard validators ignore these
keywords; the function checks them.
"""

TAIL = """
## What happens to an event

| event | outcome |
| --- | --- |
| valid, with a new `event_id` | stored; a large order also causes an alert |
| with the `event_id` and the JSON value of a stored event | counted as a duplicate |
| with the `event_id` of a stored event and other content | rejected, with an `event_id_conflict` alert |
| invalid, or not JSON | rejected with all reasons, with an `invalid_event` alert |

An order is large if its amount is greater than the threshold. The default is 1000; Terraform's
`large_order_threshold` changes it. The alert is a `large_order`.

If an object has the same key twice, the last value counts. Text must be valid Unicode: an unpaired surrogate
in a named field is a violation. Bodies nested deeper than Python's recursion limit (about 1,000 levels) are
rejected. Numbers stay decimal: `0.1` is stored as 0.1.
"""


def render_page() -> str:
    """Return the page."""
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
    yield "| field | required | content | rules |\n| --- | --- | --- | --- |"
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
    PAGE.write_text(render_page(), encoding="utf-8")
    sys.stdout.write(f"wrote docs/{PAGE.name}\n")


if __name__ == "__main__":
    main()
