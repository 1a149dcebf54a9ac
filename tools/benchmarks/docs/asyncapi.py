"""The queue, the alerts topic and the archive as AsyncAPI 3: ``asyncapi.json`` and the messages of each."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import contract
from tools.benchmarks.docs.schemas import archive_lines, event_types
from tools.core.paths import LAMBDA_SOURCE

_ALERTS = LAMBDA_SOURCE / "processor" / "alerts.schema.json"
ALERTS: dict[str, Any] = json.loads(_ALERTS.read_text("utf-8"))
_FORMAT = "application/schema+json;version=draft-2020-12"


def render() -> str:
    """Return the document as YAML."""
    document = json.loads(Path(__file__).with_name("asyncapi.json").read_text("utf-8"))
    document["info"]["version"] = contract.SCHEMA_VERSION
    attributes = {"headers": {"$ref": "#/components/schemas/alertAttributes"}}
    lines = "./schemas/archive-lines.schema.json"
    messages = {
        "events": _messages(event_types(), "./schemas/event-types.schema.json"),
        "alerts": {
            name: alert | attributes
            for name, alert in _messages(ALERTS, "../lambda_src/processor/alerts.schema.json").items()
        },
        "archive": {
            f"{name}_line": _message(f"{lines}#/$defs/{name}", "A line of the archive.")
            for name in archive_lines()["$defs"]
        },
    }
    for channel, of_channel in messages.items():
        references = {name: {"$ref": f"#/components/messages/{name}"} for name in of_channel}
        document["channels"][channel]["messages"] = references
        document["components"]["messages"] |= of_channel
    return "\n".join(_yaml(document, "")) + "\n"


def _messages(schema: Mapping[str, Any], file: str) -> dict[str, dict[str, Any]]:
    names = [each["$ref"].rpartition("/")[2] for each in schema["oneOf"]]
    return {
        name: _message(f"{file}#/$defs/{name}", schema["$defs"][name].get("description", f"An event {name}."))
        for name in names
    }


def _message(reference: str, summary: str) -> dict[str, Any]:
    return {"summary": summary, "payload": {"schemaFormat": _FORMAT, "schema": {"$ref": reference}}}


def _yaml(value: Any, indent: str) -> Iterator[str]:
    """Yield the lines of a value. Each text is a JSON string, which YAML reads as such."""
    for name, each in value.items():
        key = name if name.replace("_", "").isalnum() else json.dumps(name)
        if isinstance(each, dict):
            yield f"{indent}{key}:"
            yield from _yaml(each, f"{indent}  ")
        else:
            yield f"{indent}{key}: {json.dumps(each)}"
