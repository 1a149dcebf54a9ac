"""What an invocation says of itself: one line, a log entry and metrics at once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from archiver import telemetry
from archiver.batch import Batch
from archiver.lines import EVENTS, REJECTED, UNREADABLE


def report(batch: Batch, records: Iterable[Mapping[str, Any]], request_id: str, now: datetime) -> None:
    """Log a batch that was archived and emit its metrics."""
    telemetry.metrics(
        now,
        os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "archiver"),
        {
            "ArchivedEvents": batch.archived[EVENTS],
            "ArchivedRejected": batch.archived[REJECTED],
            "Unreadable": batch.archived[UNREADABLE],
            "Objects": batch.objects,
            "ArchivedBytes": batch.bytes,
            "ArchiveLag": _lag(records, now),
        },
        request_id=request_id,
    )


def _lag(records: Iterable[Mapping[str, Any]], now: datetime) -> int:
    """How long ago, in milliseconds, the oldest of the records was written; the streams count in seconds."""
    written = [(record.get("dynamodb") or {}).get("ApproximateCreationDateTime") for record in records]
    known = [moment for moment in written if isinstance(moment, int | float)]
    return max(0, int((now.timestamp() - min(known)) * 1000)) if known else 0
