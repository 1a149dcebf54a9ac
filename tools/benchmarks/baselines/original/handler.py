"""The original design of this project: json.loads, a few checks, ``Table.put_item`` for each record."""

import json
import os
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import boto3

_table = boto3.resource("dynamodb").Table(os.environ["EVENTS_TABLE"])
_sns = boto3.client("sns")
_topic = os.environ["ALERTS_TOPIC_ARN"]
_threshold = Decimal(os.environ["LARGE_ORDER_THRESHOLD"])
_REQUIRED = ("event_id", "event_type", "occurred_at", "customer_id")


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Store each record. Failed records return to the queue."""
    failures = []
    for record in event["Records"]:
        try:
            _store(record)
        except Exception as error:  # noqa: BLE001 - common in such handlers
            print(f"failed: {error}")
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def _store(record: dict[str, Any]) -> None:
    body = json.loads(record["body"], parse_float=Decimal)
    missing = [name for name in _REQUIRED if name not in body]
    if missing:
        raise ValueError(f"missing {', '.join(missing)}")
    item = {name: body[name] for name in _REQUIRED}
    item["processed_at"] = datetime.now(UTC).isoformat()
    item["payload"] = record["body"]
    large = False
    if "amount" in body:
        item["amount"] = body["amount"]
        large = body["event_type"] == "order" and body["amount"] > _threshold
        item["large_order"] = large
    _table.put_item(Item=item)
    if large:
        alert = {"alert_type": "large_order", "event_id": body["event_id"], "amount": str(body["amount"])}
        _sns.publish(TopicArn=_topic, Subject="Large order", Message=json.dumps(alert))
