"""Structured logs and metrics, one JSON object a line on standard output.

Metrics ride in the same lines, in CloudWatch's embedded metric format (CloudWatch user guide, "Embedded
metric format specification"): no API call, no latency. Ids are properties, never dimensions: each distinct
set of dimensions is a billed metric. No payload and no personal data is logged.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Mapping
from datetime import datetime
from typing import Any

NAMESPACE = "RtPipeline"
_UNITS = {"BytesIn": "Bytes", "BytesStored": "Bytes", "IngestLatency": "Milliseconds"}
# A metric may carry up to 100 values in one line (embedded metric format specification).
_VALUES = 100


def log(level: str, message: str, **fields: Any) -> None:
    """Write one log line. Fields that are None are left out."""
    line = {"level": level, "message": message, **{k: v for k, v in fields.items() if v is not None}}
    sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")


def log_bug(message: str, **fields: Any) -> None:
    """Log the exception being handled, with its traceback: what reaches this is a fault of ours."""
    log("ERROR", message, traceback=traceback.format_exc(limit=20), **fields)


def metrics(now: datetime, dimensions: Mapping[str, str], values: Mapping[str, Any], **fields: Any) -> None:
    """Write one line that is a log entry and metrics at once. A value is a number or a list of them."""
    shown = {name: value[:_VALUES] if isinstance(value, list) else value for name, value in values.items()}
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [list(dimensions)],
        "Metrics": [{"Name": name, "Unit": _UNITS.get(name, "Count")} for name in shown],
    }
    embedded = {"Timestamp": int(now.timestamp() * 1000), "CloudWatchMetrics": [directive]}
    log("INFO", "batch processed", **fields, **dimensions, **shown, _aws=embedded)
