"""The Lambda entry point."""

from __future__ import annotations

import gc
import os
from datetime import UTC, datetime
from functools import cache
from typing import Any

from processor.alerts import Publisher
from processor.aws import Access
from processor.batch import Batch
from processor.bucket import Bucket, Objects
from processor.deadline import Deadline
from processor.dynamodb import DynamoDB
from processor.settings import Settings
from processor.sns import SNS
from processor.store import Store

_settings = Settings.read(os.environ)
_access = Access.read(os.environ, ("dynamodb", "sns"))
_dynamodb = DynamoDB(_access, _settings.function_timeout)
_sns = SNS(_access, _settings.function_timeout)


@cache
def _s3() -> Objects:
    # botocore is most of a second of a small function's time, which few functions need to spend.
    from processor.s3 import S3

    return S3(_settings.function_timeout)


# What is loaded by now stays for good: each full round of the garbage collector would walk all of it.
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
        Store(_dynamodb, deadline),
        Bucket(_s3, _settings.payload_bucket, deadline),
        Publisher(_sns, _settings.alerts_topic_arn, deadline),
        request_id=context.aws_request_id,
        now=datetime.now(UTC),
    )
    failed = batch.process(event.get("Records") or [])
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in dict.fromkeys(failed)]}
