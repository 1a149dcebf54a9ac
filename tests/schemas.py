"""Alerts and archive lines that any test produces are held to the schemas that consumers get."""

from __future__ import annotations

import json
from typing import Any

import jsonschema_rs

from tools.benchmarks.docs.asyncapi import ALERTS
from tools.benchmarks.docs.schemas import archive_lines

_alert = jsonschema_rs.Draft202012Validator(ALERTS, validate_formats=True)
_lines = {
    name: jsonschema_rs.Draft202012Validator({**archive_lines(), "$ref": f"#/$defs/{name}"})
    for name in archive_lines()["$defs"]
}


def check_alert(alert: dict[str, Any]) -> None:
    """Raise ValidationError if an alert is not as its schema says."""
    _alert.validate(alert)


def check_line(partition: str, line: bytes) -> None:
    """Raise ValidationError if a line of the archive is not as the schema of its partition says."""
    _lines[partition.partition("/")[0]].validate(json.loads(line))
