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
decimals of a value, `x-maxFractionDigits` that of a timestamp's seconds. `x-rules` names rules that JSON
Schema cannot express. Standard validators ignore these keywords, and most ignore `format`. The function
checks all of them.

## Every body

| rule | what it requires |
| --- | --- |
| `json` | The body is JSON as RFC 8259 defines it: no NaN, no byte order mark. |
| `max_depth` | Objects and lists are nested at most {depth} levels deep; the event itself is level 1. |
| `max_number_length` | A number has at most {number_length} characters, in every field, named or not. |
| `duplicate_key` | No object has the same key twice. |

These rules have the same result in every Python version, in the producer, the function and the tools.
"""

_BODY = (
    '{"event_id":"evt-1","event_type":"activity","occurred_at":"2026-11-22T14:03:07.250Z",'
    '"customer_id":"c-7","session_id":"s-9","action":"sign_in"}'
)

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

Text must be valid Unicode: an unpaired surrogate in a named field is a violation. Numbers stay decimal: `0.1`
is stored as 0.1.

A timestamp may have any offset, lower-case `t` and `z`, and second 60 where UTC is 23:59 (a leap second,
which is read as the second after it). The payload keeps it as sent. The column `occurred_at` of items,
archive lines and alerts has it in UTC, as `2026-11-22T14:03:07.250Z`: at least 3 decimals, more if more
were sent.

## How a body is stored

An item of `events` or `rejected` has the body in these attributes. `make get` and the archive give the body
itself, so only a program that reads the tables needs this.

| attribute | content |
| --- | --- |
| `payload` | the encoded body, or |
| `payload_key` | its key in the payload bucket, if the item would exceed 400 KB (a claim check) |
| `payload_encoding` | how it is encoded |
| `payload_bytes` | the size of the body in UTF-8 |
| `content_hash` | the SHA-256 of the body in UTF-8, to check what was decoded |

| `payload_encoding` | decode with |
| --- | --- |
| `identity` | nothing: it is the body |
| `zstd` | zstd (RFC 8878): one frame without a dictionary |
| `zstd-d2`, `zstd-d3`, ... | zstd with the dictionary of that number in `lambda_src/storage/dictionaries/` |
| `zlib` | zlib (RFC 1950): written by earlier versions, and by a runtime without zstd |
| `zlib-d1` | zlib with the dictionary `D1` in `lambda_src/storage/dictionary.py` |

Nothing that was ever written becomes unreadable: a test refuses a changed or removed dictionary. Stop after
2 MiB of output, because SQS accepts no body of that size.

| language | zstd with a dictionary |
| --- | --- |
| shell | `zstd -d -D dictionary` |
| Python | `compression.zstd` from 3.14, `backports.zstd` before |
| Node.js | `zlib.zstdDecompressSync(data, { dictionary })` from 24.6 |
| Java | `com.github.luben:zstd-jni`, `ZstdDictDecompress` |
| Go | `github.com/klauspost/compress/zstd`, `WithDecoderDicts` |
| Rust | `zstd`, `Decompressor::with_dictionary` |
| .NET | `ZstdSharp.Port`, `LoadDictionary` |

[consumers.md](consumers.md#decode-a-payload) has a decoder in Python, JavaScript and Go.

This decodes a `payload` of `zstd-d2`, from the base64 that DynamoDB's API returns:

```sh
echo KLUv/SICgI99AQDjwQWfd+3IzVhtVTRVyWS0UNAVQZcEK5vzAQf80FZXDmo8VK+yZ0vMenMxmP3yFA== | \\
  base64 -d | zstd -d -c -D lambda_src/storage/dictionaries/d2-cd6bf3a894f9.zdict
```

It prints:

```json
$body
```

## Versions

An event carries no version. `schema_version` of an item or an archive line is the contract that validated
it. A producer that knows a later contract may send fields that the function does not know: they are stored as
sent. An `event_type` that the function does not know is rejected, with a reason that names the function's
contract. After an upgrade, `make replay REASON=...` sends such events again. Readers ignore fields and event
types that they do not know.

`make contract-check` compares the schema with that of another commit. It says which changes break producers
or readers. Those need a new major version ([ADR 43](adr/0043-contract-check.md)).

- 2.1.0 adds the optional `session_id` of an order. Any value but a text of at most 256 characters is refused.
  Otherwise it accepts the same events as 2.0.0. `"type": "object"` in each branch, `minLength` of a currency
  and a `pattern` of `occurred_at` are for other validators.
- 2.0.0 is stricter than 1.0.0. New are the rules for every body, a length for every named text, and the
  limit of 9 decimals of a second. A leap second is valid only where UTC is 23:59. Amounts and prices are
  below 1e15 (before: 1e34), quantities below 1e9. `occurred_at` is stored in UTC (before: as sent).
- 1.0.0 was the first release.

`schema_version` of an item is the version that it was checked with. Items and archive lines of 1.0.0 are
still read. A message that was sent under 1.0.0 is checked with the version that receives it.
"""


def render_page() -> str:
    """Return the page."""
    schema = contract.SCHEMA
    sections = [
        HEAD.format(
            version=contract.SCHEMA_VERSION,
            description=schema["description"],
            depth=contract.MAX_DEPTH,
            number_length=contract.MAX_NUMBER_LENGTH,
        ),
        "## Every event\n",
        *_table(schema),
    ]
    for branch in schema["allOf"]:
        name = branch["if"]["properties"]["event_type"]["const"]
        event_type = contract.resolve(branch["then"])
        sections += [f"\n## `event_type: {name}`\n", *_table(event_type)]
        items = event_type["properties"].get("items")
        if items:
            sections += ["\nEach of the `items`:\n", *_table(contract.resolve(items["items"]))]
    return "\n".join(sections) + "\n" + TAIL.replace("$body", _BODY)


def _table(schema: Mapping[str, Any]) -> Iterator[str]:
    yield "| field | required | content | rules |\n| --- | --- | --- | --- |"
    for name, field in schema["properties"].items():
        field = contract.resolve(field)
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
        shortest, longest = field.get("minLength", 0), field["maxLength"]
        yield f"{longest} characters" if shortest == longest else f"{shortest} to {longest} characters"
    if "x-maxFractionDigits" in field:
        yield f"at most {field['x-maxFractionDigits']} decimals of a second"
    if "pattern" in field:
        yield f"matches `{field['pattern']}`"
    if "minimum" in field:
        yield f"at least {field['minimum']}"
    if "exclusiveMaximum" in field:
        yield f"below {field['exclusiveMaximum']:,}"
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
