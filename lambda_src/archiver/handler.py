"""The archiver's Lambda entry point."""

import gc
import os
from datetime import UTC, datetime
from typing import Any

from archiver.batch import Batch
from archiver.buckets import Buckets, call_limits, deadline
from archiver.report import report
from archiver.settings import Settings
from common.s3 import S3, s3_client

_settings = Settings.read(os.environ)
_limits = call_limits(_settings.function_timeout)
# The client is made during initialization, for which Lambda gives a full core.
_s3 = S3(s3_client(_limits))
# What botocore has loaded is permanent; each full garbage collection would walk all of it.
gc.freeze()


def handle(event: dict[str, Any], context: Any) -> None:
    """Archive one batch of a table's stream.

    ``event`` is what the DynamoDB event source mapping sends, ``context`` is Lambda's. Raises Unavailable if
    Lambda must deliver the batch again. Lambda then repeats it, halves it, and finally sends its position to
    the failures queue (Lambda developer guide, "Using AWS Lambda with Amazon DynamoDB").
    """
    until = deadline(context.get_remaining_time_in_millis, _limits)
    buckets = Buckets(_s3, _settings.payload_bucket, _settings.archive_bucket, until)
    records = event.get("Records") or []
    batch = Batch(_settings.events_table, _settings.rejected_table, _settings.duplicates_table, buckets)
    batch.archive(records)
    report(batch, records, context.aws_request_id, datetime.now(UTC))
