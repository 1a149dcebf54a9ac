"""The log line and metrics of an invocation."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from archiver.batch import Batch
from archiver.lines import DUPLICATES, EVENTS, REJECTED, UNREADABLE
from common import telemetry


def report(batch: Batch, records: Iterable[Mapping[str, Any]], request_id: str, now: datetime) -> None:
    """Log an archived batch and emit its metrics."""
    telemetry.metrics(
        "batch archived",
        now,
        {
            "ArchivedEvents": batch.archived[EVENTS],
            "ArchivedRejected": batch.archived[REJECTED],
            "ArchivedDuplicates": batch.archived[DUPLICATES],
            "Unreadable": batch.archived[UNREADABLE],
            "Objects": batch.objects,
            "ArchivedBytes": batch.bytes,
            "ArchiveLag": _lag(records, now),
        },
        request_id=request_id,
    )


def _lag(records: Iterable[Mapping[str, Any]], now: datetime) -> int:
    """Return the age of the oldest record in milliseconds. Streams have a resolution of one second."""
    written = [(record.get("dynamodb") or {}).get("ApproximateCreationDateTime") for record in records]
    known = [moment for moment in written if isinstance(moment, int | float)]
    return max(0, int((now.timestamp() - min(known)) * 1000)) if known else 0
