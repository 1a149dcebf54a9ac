"""Receive the alerts of the topic during a demo."""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tools.core.resources import Resources

# SQS deletes the messages of a killed demo's queue after this many seconds.
_RETENTION_SECONDS = "3600"


@dataclass
class AlertCounts:
    """The alerts of one run. ``by_type`` counts each message once, ``repeated`` counts further alerts."""

    by_type: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    _counted: set[tuple[str, str]] = field(default_factory=set)

    def add(self, alert: dict[str, Any], message_ids: set[str]) -> None:
        """Count an alert if it is about one of these messages."""
        kind = str(alert.get("alert_type", ""))
        if kind == "batch_processed":
            self.by_type[kind] += any(each in message_ids for each in alert.get("message_ids", []))
            return
        message_id = str(alert.get("message_id", ""))
        if message_id not in message_ids:
            return
        if (kind, message_id) in self._counted:
            self.repeated += 1
        else:
            self._counted.add((kind, message_id))
            self.by_type[kind] += 1


class AlertSubscriber:
    """A temporary queue that is subscribed to the alerts topic."""

    def __init__(self, sqs: Any, queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def receive(self) -> list[dict[str, Any]]:
        """Receive alerts. Waits up to a second for the first one."""
        messages = self._sqs.receive_message(
            QueueUrl=self._queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1
        ).get("Messages", [])
        if messages:
            entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
            self._sqs.delete_message_batch(QueueUrl=self._queue_url, Entries=entries)
        return [json.loads(json.loads(message["Body"])["Message"]) for message in messages]

    def count(self, message_ids: set[str], expected: Counter[str], *, idle_timeout: float) -> AlertCounts:
        """Count the alerts about these messages until the expected ones have arrived.

        Gives up when no alert has arrived for ``idle_timeout`` seconds.
        """
        counts = AlertCounts()
        last = time.monotonic()
        while True:
            alerts = self.receive()
            for alert in alerts:
                counts.add(alert, message_ids)
            if alerts:
                last = time.monotonic()
                continue
            # An empty receive waits a second, so that the summary of the last batch is counted too.
            complete = all(counts.by_type[kind] >= count for kind, count in expected.items())
            if complete or time.monotonic() - last >= idle_timeout:
                return counts


@contextmanager
def subscribed(resources: Resources) -> Iterator[AlertSubscriber]:
    """Subscribe a temporary queue to the alerts topic, and remove both at the end."""
    sqs, sns = resources.client("sqs"), resources.client("sns")
    name = f"{resources.queue_name[:50]}-demo-{uuid.uuid4().hex[:8]}"
    queue_url = sqs.create_queue(QueueName=name, Attributes={"MessageRetentionPeriod": _RETENTION_SECONDS})[
        "QueueUrl"
    ]
    subscription = None
    try:
        attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]
        policy = _queue_policy(resources.alerts_topic_arn, attributes["QueueArn"])
        sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"Policy": policy})
        subscription = sns.subscribe(
            TopicArn=resources.alerts_topic_arn,
            Protocol="sqs",
            Endpoint=attributes["QueueArn"],
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        yield AlertSubscriber(sqs, queue_url)
    finally:
        if subscription:
            sns.unsubscribe(SubscriptionArn=subscription)
        sqs.delete_queue(QueueUrl=queue_url)


def _queue_policy(topic_arn: str, queue_arn: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
