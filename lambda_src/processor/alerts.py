"""Alerts: which there are, and how they are published.

An alert is JSON for machines and a sentence for people, with the message attributes that subscribers filter
by. It never contains a payload.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

import contract
from aws_http.errors import AwsError
from common.deadline import Deadline
from processor.messages import Message
from processor.sentences import email_sentence, sms_sentence
from storage.attributes import EVENT_ID_CONFLICT, INVALID_EVENT
from storage.sizes import decimal_text

# PublishBatch accepts 10 messages and 256 KiB in all (SNS API reference); the margin is for attributes.
_MAX_ENTRIES = 10
_MAX_BYTES = 240 * 1024
_LISTED_REASONS = 10
_LISTED_IDS = 1000
# Filter policies compare numbers of up to 10^9 (SNS developer guide, "Numeric value matching").
_MAX_FILTERED = Decimal(10**9)

LARGE_ORDER = "large_order"
BATCH_PROCESSED = "batch_processed"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert; ``text`` is its JSON. E-mail and SMS get that too if there is no sentence."""

    alert_type: str
    event_type: str | None
    text: str
    email: str = ""
    sms: str = ""
    amount: str | None = None
    currency: str | None = None

    @property
    def message(self) -> dict[str, str]:
        """Return the parameters of the message for SNS."""
        if not self.email:
            return {"Message": self.text}
        structure = json.dumps({"default": self.text, "email": self.email, "sms": self.sms})
        return {"Message": structure, "MessageStructure": "json"}

    @property
    def attributes(self) -> dict[str, dict[str, str]]:
        """Return the message attributes for SNS."""
        texts = {"alert_type": self.alert_type, "event_type": self.event_type, "currency": self.currency}
        values = {name: {"DataType": "String", "StringValue": text} for name, text in texts.items() if text}
        if self.amount is not None:
            filtered = decimal_text(min(Decimal(self.amount), _MAX_FILTERED))
            values["amount"] = {"DataType": "Number", "StringValue": filtered}
        return values


class Occasion(NamedTuple):
    """What an alert may be about: a stored event, or a rejected one with the reasons for it."""

    message: Message
    reasons: contract.Violations
    large_order_threshold: Decimal


@dataclass(frozen=True, slots=True)
class AlertRule:
    """When an alert is published, and what it says beside the names of the message and its event.

    ``kind`` is the kind of rejection that the rule is for, or None for stored events. ``sentence`` is a
    template over the fields of the alert (`processor.sentences`).
    """

    alert_type: str
    kind: str | None
    applies: Callable[[Occasion], bool]
    details: Callable[[Occasion], dict[str, Any]]
    sentence: str


def _is_large_order(occasion: Occasion) -> bool:
    return contract.is_large_order(occasion.message.event, occasion.large_order_threshold)


def _large_order(occasion: Occasion) -> dict[str, Any]:
    event = occasion.message.event
    # Amounts are strings because many JSON readers make binary floats of numbers.
    return {
        "order_id": event["order_id"],
        "customer_id": event["customer_id"],
        "amount": decimal_text(event["amount"]),
        "currency": event["currency"],
        "threshold": decimal_text(occasion.large_order_threshold),
        "occurred_at": event["occurred_at"],
    }


def _invalid_event(occasion: Occasion) -> dict[str, Any]:
    return {"violation_count": occasion.reasons.total, "reasons": _first_reasons(occasion.reasons)}


def _event_id_conflict(occasion: Occasion) -> dict[str, Any]:
    reasons = _first_reasons(occasion.reasons)
    return {"content_hash": occasion.message.content_hash, "reasons": reasons}


def _first_reasons(reasons: contract.Violations) -> list[dict[str, str]]:
    return [reason._asdict() for reason in reasons[:_LISTED_REASONS]]


def _always(_occasion: Occasion) -> bool:
    return True


# Every alert about a message. To add one, add a rule (CONTRIBUTING.md).
ALERT_RULES = (
    AlertRule(
        *(LARGE_ORDER, None, _is_large_order, _large_order),
        "Large order: {amount:money} {currency}, order {order_id}, customer {customer_id}",
    ),
    AlertRule(
        *(INVALID_EVENT, INVALID_EVENT, _always, _invalid_event),
        "Rejected event: {reasons[0][path]} {reasons[0][reason]}, message {message_id}",
    ),
    AlertRule(
        *(EVENT_ID_CONFLICT, EVENT_ID_CONFLICT, _always, _event_id_conflict),
        "Rejected event: {event_id} is stored with other content, message {message_id}",
    ),
)
SENTENCES = {rule.alert_type: rule.sentence for rule in ALERT_RULES}
ALERT_TYPES = (*(rule.alert_type for rule in ALERT_RULES), BATCH_PROCESSED)


def alert_types(kind: str | None, occasion: Occasion) -> list[str]:
    """Return the types of the alerts about a stored event (``kind`` is None) or about a rejected one."""
    return [rule.alert_type for rule in _rules_for(kind, occasion)]


def alerts_for(kind: str | None, occasion: Occasion) -> list[Alert]:
    """Return the alerts about a stored event (``kind`` is None) or about a rejected one."""
    return [_alert(rule, occasion) for rule in _rules_for(kind, occasion)]


def _rules_for(kind: str | None, occasion: Occasion) -> list[AlertRule]:
    return [rule for rule in ALERT_RULES if rule.kind == kind and rule.applies(occasion)]


def _alert(rule: AlertRule, occasion: Occasion) -> Alert:
    message = occasion.message
    named = {
        "alert_type": rule.alert_type,
        "message_id": message.origin_id,
        "event_id": message.event_id,
        "event_type": message.stated_type,
        **rule.details(occasion),
    }
    fields = {name: value for name, value in named.items() if value is not None}
    return Alert(
        rule.alert_type,
        message.stated_type,
        json.dumps(fields),
        email_sentence(rule.sentence, fields),
        sms_sentence(rule.sentence, fields),
        fields.get("amount"),
        fields.get("currency"),
    )


def batch_processed(request_id: str, message_ids: list[str], counts: dict[str, int]) -> Alert:
    """Return the summary of one invocation. It names the first 1,000 messages (36 KB) and counts all."""
    named = {"message_id": message_ids[0], "message_ids": message_ids[:_LISTED_IDS]} if message_ids else {}
    text = json.dumps({"alert_type": BATCH_PROCESSED, "request_id": request_id, **named, **counts})
    return Alert(BATCH_PROCESSED, None, text)


class Topics(Protocol):
    """SNS, as `Publisher` uses it (see `processor.sns`)."""

    def publish_batch(self, topic_arn: str, entries: list[dict[str, Any]]) -> dict[str, str | None]: ...


class Publisher:
    """Publishes alerts on the alerts topic."""

    def __init__(self, sns: Topics, topic_arn: str, deadline: Deadline) -> None:
        self._sns = sns
        self._topic_arn = topic_arn
        self._deadline = deadline

    def publish(self, alerts: list[Alert]) -> list[str | None]:
        """Publish alerts in as few requests as SNS allows.

        Returns for each alert why SNS did not accept it, or None.
        """
        problems: list[str | None] = ["not tried"] * len(alerts)
        entries = [
            {"Id": str(n), **alert.message, "MessageAttributes": alert.attributes}
            for n, alert in enumerate(alerts)
        ]
        for chunk in _chunks(entries):
            left = chunk
            for _ in range(2):  # entries that SNS refuses are tried once more
                for n, problem in zip(left, self._publish(entries, left), strict=True):
                    problems[n] = problem
                left = [n for n in left if problems[n]]
                if not left:
                    break
        return problems

    def _publish(self, entries: list[dict[str, Any]], chunk: list[int]) -> list[str | None]:
        if not self._deadline.allows_call():
            return ["no time left"] * len(chunk)
        try:
            codes = self._sns.publish_batch(self._topic_arn, [entries[n] for n in chunk])
        except AwsError as error:
            return [str(error)] * len(chunk)
        refusals = [codes.get(str(n), "no answer") for n in chunk]
        return [code and f"SNS refused it: {code}" for code in refusals]


def _chunks(entries: list[dict[str, Any]]) -> Iterator[list[int]]:
    chunk: list[int] = []
    size = 0
    for n, entry in enumerate(entries):
        length = len(entry["Message"]) + 300  # the message is ASCII; 300 bytes are for the attributes
        if chunk and (len(chunk) == _MAX_ENTRIES or size + length > _MAX_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(n)
        size += length
    if chunk:
        yield chunk
