"""The processor's Lambda entry point.

A message goes through these steps: decode, validate, encode its payload (`processor.messages`); enrich and
store (`processor.puts`, `processor.items`, `processor.store`); alert (`processor.alerts`); report.
"""

from __future__ import annotations

import gc
import os
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_http.config import AwsConfig
from common import telemetry
from common.deadline import CallLimits, Deadline
from processor.alerts import Publisher
from processor.batch import Batch
from processor.dynamodb import DynamoDB
from processor.payload_bucket import Objects, PayloadBucket
from processor.settings import Settings
from processor.sns import SNS
from processor.store import Store
from storage import zstd

_settings = Settings.read(os.environ)
_config = AwsConfig.read(os.environ, ("dynamodb", "sns"))
_limits = CallLimits.of(_settings.function_timeout)
_dynamodb = DynamoDB(_config, _limits)
_sns = SNS(_config, _limits)
if not zstd.available():
    telemetry.log("WARNING", "this runtime has no zstd: payloads are compressed with zlib")


@cache
def _s3() -> Objects:
    # Importing botocore takes most of a second of a small function, and few invocations need it.
    from common.s3 import S3, s3_client

    return S3(s3_client(_limits))


# What is loaded by now is permanent; each full garbage collection would walk all of it.
gc.freeze()
# A 200 KB event is a thousand objects, freed by reference count. The default threshold costs 5% of its time.
gc.set_threshold(20_000)


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Process one batch of SQS messages.

    ``event`` is what the SQS event source mapping sends, ``context`` is Lambda's. Returns the partial batch
    response: only the messages that it names return to the queue (Lambda developer guide, "Handling errors
    for an SQS event source").
    """
    deadline = Deadline(context.get_remaining_time_in_millis, _limits)
    batch = Batch(
        _settings,
        deadline,
        Store(_dynamodb, deadline),
        PayloadBucket(_s3, _settings.payload_bucket, deadline),
        Publisher(_sns, _settings.alerts_topic_arn, deadline),
        request_id=context.aws_request_id,
        now=datetime.now(UTC),
    )
    failed = batch.process(event.get("Records") or [])
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in dict.fromkeys(failed)]}
