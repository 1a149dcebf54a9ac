"""The Lambda entry point."""

from __future__ import annotations

import gc
import os
from datetime import UTC, datetime
from typing import Any

from archiver import telemetry
from archiver.batch import Batch
from archiver.buckets import Buckets, s3_client
from archiver.lines import EVENTS, REJECTED, UNREADABLE
from archiver.settings import Settings

_settings = Settings.read(os.environ)
# Made while the function initializes, which Lambda does on a full core.
_s3 = s3_client(_settings.function_timeout)
# What botocore has loaded stays for good; without this, each full round of the garbage collector walks it.
gc.freeze()


def handle(event: dict[str, Any], context: Any) -> None:
    """Archive one batch of a table's stream.

    ``event`` is what the DynamoDB event source mapping sends, ``context`` Lambda's. Raises Unavailable when
    the batch must come again: Lambda then repeats it, halves it, and in the end names it to the failures
    queue (Lambda developer guide, "Using AWS Lambda with Amazon DynamoDB").
    """
    buckets = Buckets(
        _s3,
        _settings.payload_bucket,
        _settings.archive_bucket,
        remaining_millis=context.get_remaining_time_in_millis,
        function_timeout=_settings.function_timeout,
    )
    records = event.get("Records") or []
    batch = Batch(_settings.events_table, _settings.rejected_table, buckets)
    batch.archive(records)
    now = datetime.now(UTC)
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
        request_id=context.aws_request_id,
    )


def _lag(records: list[dict[str, Any]], now: datetime) -> int:
    """How long ago, in milliseconds, the oldest of the records was written; the streams count in seconds."""
    written = [record.get("dynamodb", {}).get("ApproximateCreationDateTime") for record in records]
    known = [moment for moment in written if isinstance(moment, int | float)]
    return max(0, int((now.timestamp() - min(known)) * 1000)) if known else 0
