"""Structured logs and metrics: one JSON object a line on standard output.

Metrics are embedded in log lines (CloudWatch user guide, "Embedded metric format specification"): no API call
and no latency. Ids are properties and never dimensions, because each set of dimensions is a billed metric. No
payload and no personal data is logged.
"""

import json
import os
import sys
import traceback
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aws_http.errors import AwsError

NAMESPACE = "RtPipeline"
_UNITS = {
    "BytesIn": "Bytes",
    "BytesStored": "Bytes",
    "IngestLatency": "Milliseconds",
    "QueueLatency": "Milliseconds",
    "ArchivedBytes": "Bytes",
    "ArchiveLag": "Milliseconds",
}
# A metric may have up to 100 values in one line (embedded metric format specification).
_MAX_VALUES = 100
_encode = json.JSONEncoder(separators=(",", ":")).encode
_LEVELS = ("INFO", "WARNING", "ERROR")
_LOGGED = _LEVELS[_LEVELS.index(os.environ.get("LOG_LEVEL") or "INFO") :]


def log(level: str, message: str, **fields: Any) -> None:
    """Write one log line if LOG_LEVEL allows it. Fields that are None are left out."""
    if level in _LOGGED:
        _write(level, message, fields)


def _write(level: str, message: str, fields: Mapping[str, Any]) -> None:
    line = {"level": level, "message": message, **{k: v for k, v in fields.items() if v is not None}}
    sys.stdout.write(_encode(line) + "\n")


def log_bug(message: str, **fields: Any) -> None:
    """Log the exception that is being handled, with its traceback."""
    log("ERROR", message, traceback=traceback.format_exc(limit=20), **fields)


def log_failed_call(service: str, error: AwsError) -> None:
    """Log a request to AWS that failed and may have taken effect."""
    log("WARNING", "call failed", service=service, why=str(error))


def metrics(message: str, now: datetime, values: Mapping[str, Any], **fields: Any) -> None:
    """Write one line that is a log entry and metrics at once. Above INFO it has only the metrics.

    A value is a number or a list of numbers. A metric with an empty list is left out: CloudWatch refuses it.
    """
    emitted = {
        name: value[:_MAX_VALUES] if isinstance(value, list) else value
        for name, value in values.items()
        if value != []
    }
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["FunctionName"]],
        "Metrics": [{"Name": name, "Unit": _UNITS.get(name, "Count")} for name in emitted],
    }
    embedded = {"Timestamp": int(now.timestamp() * 1000), "CloudWatchMetrics": [directive]}
    function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "unknown")
    said = fields if "INFO" in _LOGGED else {}
    _write("INFO", message, {**said, "FunctionName": function, **emitted, "_aws": embedded})
