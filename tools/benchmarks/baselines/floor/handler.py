"""The floor: decode the batch and write it with one request, without checks, alerts or retries."""

import json
import os
from typing import Any

import botocore.session

_table = os.environ["EVENTS_TABLE"]
_dynamodb = botocore.session.get_session().create_client("dynamodb")


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Store all records."""
    puts = [
        {"PutRequest": {"Item": {"event_id": {"S": decoded["event_id"]}, "payload": {"S": record["body"]}}}}
        for record in event["Records"]
        for decoded in [json.loads(record["body"])]
    ]
    _dynamodb.batch_write_item(RequestItems={_table: puts})
    return {"batchItemFailures": []}
