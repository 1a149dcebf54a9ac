"""The tables of docs/contract.md, whose text is ``contract.md.template``."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template
from typing import Any

import contract
from tools.benchmarks.tables import text_table


def render() -> str:
    """Return the page."""
    template = Template(Path(__file__).with_name("contract.md.template").read_text("utf-8"))
    return template.substitute(
        version=contract.SCHEMA_VERSION,
        description=contract.SCHEMA["description"],
        depth=contract.MAX_DEPTH,
        number_length=contract.MAX_NUMBER_LENGTH,
        fields="\n".join(_tables()),
    )


def _tables() -> Iterator[str]:
    yield f"## Every event\n\n{_table(contract.SCHEMA)}"
    for branch in contract.SCHEMA["allOf"]:
        name = branch["if"]["properties"]["event_type"]["const"]
        event_type = contract.resolve(branch["then"])
        yield f"\n## `event_type: {name}`\n\n{_table(event_type)}"
        if items := event_type["properties"].get("items"):
            yield f"\nEach of the `items`:\n\n{_table(contract.resolve(items['items']))}"


def _table(schema: Mapping[str, Any]) -> str:
    fields = {name: contract.resolve(field) for name, field in schema["properties"].items()}
    rows = [
        [
            f"`{name}`",
            "yes" if name in schema["required"] else "no",
            field["description"],
            "; ".join(_rules(field)),
        ]
        for name, field in fields.items()
    ]
    return text_table(["field", "required", "content", "rules"], rows)


def _rules(field: Mapping[str, Any]) -> Iterator[str]:
    if "enum" in field:
        yield "one of " + ", ".join(f"`{value}`" for value in field["enum"])
        return
    yield field["type"]
    if field.get("format") == "date-time":
        yield "RFC 3339 with an offset or `Z`"
    if "maxLength" in field:
        shortest, longest = field.get("minLength", 0), field["maxLength"]
        yield f"{longest} characters" if shortest == longest else f"{shortest} to {longest} characters"
    for keyword, rule in _RULES.items():
        if keyword in field:
            yield rule.format(field[keyword])


_RULES = {
    "x-maxFractionDigits": "at most {} decimals of a second",
    "pattern": "matches `{}`",
    "minimum": "at least {}",
    "exclusiveMaximum": "below {:,}",
    "x-maxDecimals": "at most {} decimals",
    "minItems": "not empty",
}
