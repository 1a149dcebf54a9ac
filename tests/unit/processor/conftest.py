from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from common.deadline import CallLimits, Deadline
from common.origin import ORIGIN_ATTRIBUTE, SIGNATURE_ATTRIBUTE, sign
from contract import content_hash
from processor.alerts import Publisher
from processor.batch import Batch
from processor.payload_bucket import PayloadBucket
from processor.settings import Settings
from processor.store import Store
from storage.payload import decode_payload
from tests.fakes import FakeDynamoDB, FakeS3, FakeSNS

SETTINGS = Settings(
    events_table="events",
    rejected_table="rejected",
    duplicates_table="duplicates",
    payload_bucket="payloads",
    alerts_topic_arn="arn:aws:sns:us-east-1:000000000000:alerts",
    large_order_threshold=Decimal(1000),
    batch_summary_alerts=False,
    function_timeout=30,
    rejected_retention_days=90,
    duplicates_retention_days=30,
    origin_key="the function's key",
)

# What Lambda and Terraform tell a function with these settings.
ENVIRONMENT = {
    "EVENTS_TABLE": SETTINGS.events_table,
    "REJECTED_TABLE": SETTINGS.rejected_table,
    "DUPLICATES_TABLE": SETTINGS.duplicates_table,
    "PAYLOAD_BUCKET": SETTINGS.payload_bucket,
    "ALERTS_TOPIC_ARN": SETTINGS.alerts_topic_arn,
    "LARGE_ORDER_THRESHOLD": str(SETTINGS.large_order_threshold),
    "BATCH_SUMMARY_ALERTS": "false",
    "FUNCTION_TIMEOUT_SECONDS": str(SETTINGS.function_timeout),
    "REJECTED_RETENTION_DAYS": str(SETTINGS.rejected_retention_days),
    "DUPLICATES_RETENTION_DAYS": str(SETTINGS.duplicates_retention_days),
    "ORIGIN_KEY": SETTINGS.origin_key,
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
}


def order(amount: str = "30.50", **changes: Any) -> str:
    """The body of a valid order with one item of this price."""
    event: dict[str, Any] = {
        "event_id": f"evt-{uuid.uuid4()}",
        "event_type": "order",
        "occurred_at": "2026-11-22T14:03:07.250Z",
        "customer_id": "cus-1",
        "order_id": "ord-1",
        "currency": "EUR",
        "amount": "@",
        "items": [{"sku": "sku-1", "quantity": 1, "unit_price": "@"}],
        **changes,
    }
    return json.dumps(event).replace('"@"', amount)


def record(
    body: str, message_id: str = "", origin: str | None = None, signature: str | None = None
) -> dict[str, Any]:
    """A record as the SQS event source mapping sends it; an origin is signed, unless another is given."""
    attributes: dict[str, Any] = {}
    if origin is not None:
        if signature is None:
            signature = sign(SETTINGS.origin_key, origin, content_hash(body))
        values = {ORIGIN_ATTRIBUTE: origin, SIGNATURE_ATTRIBUTE: signature}
        attributes = {name: {"stringValue": value, "dataType": "String"} for name, value in values.items()}
    return {
        "messageId": message_id or str(uuid.uuid4()),
        "body": body,
        "attributes": {"SentTimestamp": "1795399387000", "ApproximateReceiveCount": "1"},
        "messageAttributes": attributes,
    }


@dataclass
class Harness:
    """The AWS that a batch sees, and how to run one against it."""

    dynamodb: FakeDynamoDB = field(default_factory=FakeDynamoDB)
    sns: FakeSNS = field(default_factory=FakeSNS)
    s3: FakeS3 = field(default_factory=FakeS3)
    settings: Settings = SETTINGS
    now: datetime = datetime(2026, 11, 22, 14, 4, tzinfo=UTC)
    remaining_millis: Callable[[], int] = lambda: 30_000

    def deliver(self, *records: dict[str, Any]) -> list[str]:
        """Run one invocation; returns the ids of the messages that it hands back."""
        deadline = Deadline(self.remaining_millis, CallLimits.of(self.settings.function_timeout))
        batch = Batch(
            self.settings,
            deadline,
            Store(self.dynamodb, deadline),
            PayloadBucket(lambda: self.s3, self.settings.payload_bucket, deadline),
            Publisher(self.sns, self.settings.alerts_topic_arn, deadline),
            request_id="request-1",
            now=self.now,
        )
        return batch.process(list(records))

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    @property
    def events(self) -> dict[str, dict[str, Any]]:
        return self.dynamodb.tables["events"]

    @property
    def rejected(self) -> dict[str, dict[str, Any]]:
        return self.dynamodb.tables["rejected"]

    @property
    def duplicates(self) -> dict[str, dict[str, Any]]:
        return self.dynamodb.tables["duplicates"]

    def body_of(self, item: dict[str, Any]) -> str:
        """The body that an item keeps."""
        return decode_payload(item, self.s3.objects.__getitem__).decode("utf-8", "surrogatepass")


@pytest.fixture
def harness() -> Harness:
    return Harness()
