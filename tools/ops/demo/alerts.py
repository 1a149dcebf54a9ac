"""Listening to the alerts topic for as long as a demo lasts."""

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

# Messages that a listener leaves behind when it is killed are gone after this many seconds.
_RETENTION_SECONDS = "3600"


@dataclass
class AlertCounts:
    """Alerts of one run. ``by_type`` counts messages alerted, each once; ``repeated`` the rest."""

    by_type: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    _known: set[tuple[str, str]] = field(default_factory=set)

    def take(self, alert: dict[str, Any], run: set[str]) -> None:
        """Count an alert if it is about a message of the run."""
        kind = str(alert.get("alert_type", ""))
        if kind == "batch_processed":
            self.by_type[kind] += any(message_id in run for message_id in alert.get("message_ids", []))
            return
        message_id = str(alert.get("message_id", ""))
        if message_id not in run:
            return
        if (kind, message_id) in self._known:
            self.repeated += 1
        else:
            self._known.add((kind, message_id))
            self.by_type[kind] += 1


class AlertSubscriber:
    """A queue of its own, subscribed to the alerts topic."""

    def __init__(self, sqs: Any, queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def receive(self) -> list[dict[str, Any]]:
        """The alerts that have come; waits a second for the first."""
        messages = self._sqs.receive_message(
            QueueUrl=self._queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1
        ).get("Messages", [])
        if messages:
            entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
            self._sqs.delete_message_batch(QueueUrl=self._queue_url, Entries=entries)
        return [json.loads(json.loads(message["Body"])["Message"]) for message in messages]

    def hear(self, run: set[str], expected: Counter[str], *, patience: float) -> AlertCounts:
        """Count the alerts about a run, given by its message ids, until the expected ones have come.

        Gives up when none has come for ``patience`` seconds.
        """
        heard = AlertCounts()
        last = time.monotonic()
        while True:
            alerts = self.receive()
            for alert in alerts:
                heard.take(alert, run)
            if alerts:
                last = time.monotonic()
                continue
            # Complete, and quiet for the second that an empty receive takes: what comes after the last
            # expected alert is the last batch's summary.
            complete = all(heard.by_type[kind] >= count for kind, count in expected.items())
            if complete or time.monotonic() - last >= patience:
                return heard


@contextmanager
def subscribed(resources: Resources) -> Iterator[AlertSubscriber]:
    """A listener to the alerts topic that is there from now on, and gone afterwards."""
    sqs, sns = resources.client("sqs"), resources.client("sns")
    name = f"{resources.queue_name[:50]}-demo-{uuid.uuid4().hex[:8]}"
    queue_url = sqs.create_queue(QueueName=name, Attributes={"MessageRetentionPeriod": _RETENTION_SECONDS})[
        "QueueUrl"
    ]
    subscription = None
    try:
        attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]
        policy = _may_send(resources.alerts_topic_arn, attributes["QueueArn"])
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


def _may_send(topic_arn: str, queue_arn: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
