"""Structured logs and metrics, one JSON object a line on standard output.

As the processor's (processor/telemetry.py): CloudWatch's embedded metric format, the function's name the only
dimension, and no payload in a log.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

NAMESPACE = "RtPipeline"
_UNITS = {"ArchivedBytes": "Bytes", "ArchiveLag": "Milliseconds"}


def log(level: str, message: str, **fields: Any) -> None:
    """Write one log line. Fields that are None are left out."""
    line = {"level": level, "message": message, **{k: v for k, v in fields.items() if v is not None}}
    sys.stdout.write(json.dumps(line, separators=(",", ":")) + "\n")


def metrics(now: datetime, function: str, values: Mapping[str, int], **fields: Any) -> None:
    """Write one line that is a log entry and metrics at once."""
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["FunctionName"]],
        "Metrics": [{"Name": name, "Unit": _UNITS.get(name, "Count")} for name in values],
    }
    embedded = {"Timestamp": int(now.timestamp() * 1000), "CloudWatchMetrics": [directive]}
    log("INFO", "batch archived", **fields, FunctionName=function, **values, _aws=embedded)
