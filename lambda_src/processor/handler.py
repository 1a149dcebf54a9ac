"""The Lambda entry point."""

from __future__ import annotations

import gc
import os
from datetime import UTC, datetime
from typing import Any

from processor.alerts import Publisher
from processor.aws import clients
from processor.batch import Batch
from processor.bucket import Bucket
from processor.deadline import Deadline
from processor.settings import Settings
from processor.store import Store

_settings = Settings.read(os.environ)
_client = clients(_settings.function_timeout)
# Made while the function initializes, which Lambda does on a full core.
_client("dynamodb"), _client("sns")
# What botocore has loaded stays for good: each full round of the garbage collector would walk all of it, and
# that costs as much as reading a 200 KB event.
gc.freeze()
# An event of 200 KB is a thousand objects, which go with their last reference. By default the collector walks
# them every 700, some 5% of the event's time; what only it can free is a few objects of a failed call.
gc.set_threshold(20_000)


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Process one batch of SQS messages.

    ``event`` is what the SQS event source mapping sends, ``context`` Lambda's. Returns the partial batch
    response: only the messages named in it go back to the queue (Lambda developer guide, "Handling errors
    for an SQS event source").
    """
    deadline = Deadline(context.get_remaining_time_in_millis, _settings.function_timeout)
    batch = Batch(
        _settings,
        deadline,
        Store(_client("dynamodb"), deadline),
        Bucket(lambda: _client("s3"), _settings.payload_bucket, deadline),
        Publisher(_client("sns"), _settings.alerts_topic_arn, deadline),
        request_id=context.aws_request_id,
        now=datetime.now(UTC),
    )
    failed = batch.process(event.get("Records") or [])
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in dict.fromkeys(failed)]}
