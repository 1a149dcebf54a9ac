"""A typical design of today: Powertools' BatchProcessor, a Pydantic model, ``Table.put_item``."""

import json
import os
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import boto3
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

_table = boto3.resource("dynamodb").Table(os.environ["EVENTS_TABLE"])
_sns = boto3.client("sns")
_topic = os.environ["ALERTS_TOPIC_ARN"]
_threshold = Decimal(os.environ["LARGE_ORDER_THRESHOLD"])
_processor = BatchProcessor(event_type=EventType.SQS)

Name = Annotated[str, Field(min_length=1, max_length=128)]
Amount = Annotated[Decimal, Field(ge=0, decimal_places=4)]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]


class Event(BaseModel):  # type: ignore[misc]
    """The fields of every event. Unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore")

    event_id: Name
    customer_id: Name
    occurred_at: AwareDatetime


class Item(BaseModel):  # type: ignore[misc]
    """One line of an order."""

    sku: str
    quantity: Annotated[int, Field(ge=1)]
    unit_price: Annotated[Decimal, Field(ge=0)]


class Order(Event):
    """An order."""

    event_type: Literal["order"]
    order_id: str
    currency: Currency
    amount: Amount
    items: Annotated[list[Item], Field(min_length=1)]


class Payment(Event):
    """A payment."""

    event_type: Literal["payment"]
    payment_id: str
    order_id: str
    amount: Amount
    currency: Currency
    method: Literal["card", "paypal", "bank_transfer", "wallet"]
    status: Literal["authorized", "captured", "failed", "refunded"]


class Activity(Event):
    """A customer's activity."""

    event_type: Literal["activity"]
    session_id: str
    action: Annotated[str, Field(min_length=1, max_length=64)]


_events: TypeAdapter[Any] = TypeAdapter(
    Annotated[Order | Payment | Activity, Field(discriminator="event_type")]
)


def handle(event: dict[str, Any], context: Any) -> Any:
    """Store each record. Failed records return to the queue."""
    return process_partial_response(event=event, record_handler=_store, processor=_processor, context=context)


def _store(record: SQSRecord) -> None:
    parsed = _events.validate_json(record.body)
    item = {
        "event_id": parsed.event_id,
        "event_type": parsed.event_type,
        "occurred_at": parsed.occurred_at.isoformat(),
        "customer_id": parsed.customer_id,
        "processed_at": datetime.now(UTC).isoformat(),
        "payload": record.body,
    }
    large = False
    if parsed.event_type != "activity":
        item["amount"] = parsed.amount
        large = parsed.event_type == "order" and parsed.amount > _threshold
        item["large_order"] = large
    _table.put_item(Item=item)
    if large:
        alert = {"alert_type": "large_order", "event_id": parsed.event_id, "amount": str(parsed.amount)}
        _sns.publish(TopicArn=_topic, Subject="Large order", Message=json.dumps(alert))
