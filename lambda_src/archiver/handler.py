"""The Lambda entry point."""

from __future__ import annotations

import gc
import os
from datetime import UTC, datetime
from typing import Any

from archiver.batch import Batch
from archiver.buckets import Buckets, s3_client
from archiver.report import report
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
    report(batch, records, context.aws_request_id, datetime.now(UTC))
