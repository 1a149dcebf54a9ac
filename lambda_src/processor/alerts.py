"""Alerts on the alerts topic: JSON, with the attributes that subscribers filter by, never a payload."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

import contract
from processor.aws import CallError
from processor.deadline import Deadline
from processor.items import decimal_text
from processor.messages import Message

# PublishBatch takes 10 messages and 256 KiB in all (SNS API reference); the margin is for attributes.
_ENTRIES = 10
_BYTES = 240 * 1024
_LISTED_REASONS = 10

LARGE_ORDER = "large_order"
INVALID = "invalid_event"
CONFLICT = "event_id_conflict"
BATCH_PROCESSED = "batch_processed"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert; ``text`` is its JSON."""

    alert_type: str
    event_type: str | None
    text: str


def _alert(alert_type: str, message: Message, **details: Any) -> Alert:
    named = {
        "alert_type": alert_type,
        "message_id": message.identity,
        "event_id": message.event_id,
        "event_type": message.event_type,
        **details,
    }
    text = json.dumps({name: value for name, value in named.items() if value is not None})
    return Alert(alert_type, message.event_type, text)


def large_order(message: Message, threshold: Decimal) -> Alert:
    """An order above the threshold was stored. Amounts are text: JSON readers make floats of numbers."""
    event = message.event
    return _alert(
        LARGE_ORDER,
        message,
        order_id=event["order_id"][:256],
        customer_id=event["customer_id"],
        amount=decimal_text(event["amount"]),
        currency=event["currency"],
        threshold=decimal_text(threshold),
        occurred_at=event["occurred_at"],
    )


def invalid_event(message: Message, reasons: contract.Violations) -> Alert:
    """An event broke the contract and was rejected; the first 10 reasons, and how many there are."""
    return _alert(
        INVALID,
        message,
        violation_count=reasons.total,
        reasons=[reason._asdict() for reason in reasons[:_LISTED_REASONS]],
    )


def event_id_conflict(message: Message, reasons: contract.Violations) -> Alert:
    """An event came with the event_id of another one and was rejected."""
    return _alert(
        CONFLICT,
        message,
        content_hash=message.content_hash,
        reasons=[reason._asdict() for reason in reasons[:_LISTED_REASONS]],
    )


def batch_processed(request_id: str, message_ids: list[str], counts: dict[str, int]) -> Alert:
    """What became of the messages of one invocation."""
    # 1,000 ids are 36 KB; a larger batch names its first thousand and counts the rest.
    named = {"message_id": message_ids[0], "message_ids": message_ids[:1000]} if message_ids else {}
    text = json.dumps({"alert_type": BATCH_PROCESSED, "request_id": request_id, **named, **counts})
    return Alert(BATCH_PROCESSED, None, text)


class Topics(Protocol):
    """SNS, as the function uses it: see ``processor.sns``."""

    def publish_batch(self, topic_arn: str, entries: list[dict[str, Any]]) -> dict[str, str | None]: ...


class Publisher:
    """Publishes alerts on the alerts topic."""

    def __init__(self, sns: Topics, topic_arn: str, deadline: Deadline) -> None:
        self._sns = sns
        self._topic_arn = topic_arn
        self._deadline = deadline

    def publish(self, alerts: list[Alert]) -> list[str | None]:
        """Publish alerts, in as few requests as SNS allows. Says of each why SNS did not take it, if so."""
        problems: list[str | None] = ["not tried"] * len(alerts)
        for chunk in _chunks(alerts):
            left = chunk
            for _ in range(2):  # what SNS refuses of a batch is tried once more
                for n, problem in zip(left, self._publish(alerts, left), strict=True):
                    problems[n] = problem
                left = [n for n in left if problems[n]]
                if not left:
                    break
        return problems

    def _publish(self, alerts: list[Alert], chunk: list[int]) -> list[str | None]:
        if not self._deadline.allows_call():
            return ["no time left"] * len(chunk)
        entries = [
            {"Id": str(n), "Message": alerts[n].text, "MessageAttributes": _attributes(alerts[n])}
            for n in chunk
        ]
        try:
            fates = self._sns.publish_batch(self._topic_arn, entries)
        except CallError as error:
            return [str(error)] * len(chunk)
        codes = [fates.get(str(n), "no answer") for n in chunk]
        return [code and f"SNS refused it: {code}" for code in codes]


def _attributes(alert: Alert) -> dict[str, dict[str, str]]:
    values = {"alert_type": alert.alert_type, "event_type": alert.event_type}
    return {name: {"DataType": "String", "StringValue": value} for name, value in values.items() if value}


def _chunks(alerts: list[Alert]) -> Iterator[list[int]]:
    chunk: list[int] = []
    size = 0
    for n, alert in enumerate(alerts):
        length = len(alert.text) + 200  # the text is ASCII; the attributes count too
        if chunk and (len(chunk) == _ENTRIES or size + length > _BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(n)
        size += length
    if chunk:
        yield chunk
