from __future__ import annotations

import json
from collections import Counter
from typing import Any

from tests.unit.tools.fakes import FakeSQS, pipeline
from tools.ops.demo.alerts import AlertCounts, AlertSubscriber, subscribed

RUN = {"m-1", "m-2"}


def _counts(*alerts: dict[str, Any]) -> AlertCounts:
    counts = AlertCounts()
    for alert in alerts:
        counts.add(alert, RUN)
    return counts


def test_only_alerts_about_the_run_are_counted() -> None:
    counts = _counts(
        {"alert_type": "large_order", "message_id": "m-1"},
        {"alert_type": "large_order", "message_id": "other"},
    )
    assert counts.by_type == {"large_order": 1}


def test_an_alert_published_twice_counts_once_and_as_repeated() -> None:
    counts = _counts(*[{"alert_type": "invalid_event", "message_id": "m-1"}] * 2)
    assert counts.by_type == {"invalid_event": 1}
    assert counts.repeated == 1


def test_a_batch_counts_if_it_contains_a_message_of_the_run() -> None:
    counts = _counts(
        {"alert_type": "batch_processed", "message_ids": ["other", "m-2"]},
        {"alert_type": "batch_processed", "message_ids": ["other"]},
    )
    assert counts.by_type == {"batch_processed": 1}


def test_a_subscriber_counts_until_the_expected_alerts_have_arrived() -> None:
    sqs = FakeSQS()
    sqs.queues["queue"] = []
    alerts = [{"alert_type": "large_order", "message_id": f"m-{number}"} for number in range(25)]
    sqs.put("queue", *(json.dumps({"Message": json.dumps(alert)}) for alert in alerts))
    ids = {f"m-{number}" for number in range(25)}
    counts = AlertSubscriber(sqs, "queue").count(ids, Counter({"large_order": 25}), idle_timeout=60)
    assert counts.by_type == {"large_order": 25}
    assert sqs.queues["queue"] == []


def test_a_subscriber_without_alerts_gives_up() -> None:
    sqs = FakeSQS()
    sqs.queues["queue"] = []
    assert AlertSubscriber(sqs, "queue").count(RUN, Counter({"large_order": 1}), idle_timeout=0).by_type == {}


class FakeTopic:
    """Subscriptions of the alerts topic."""

    def __init__(self) -> None:
        self.subscriptions: list[str] = []

    def subscribe(self, Endpoint: str, **_: Any) -> Any:  # noqa: N803
        self.subscriptions.append(Endpoint)
        return {"SubscriptionArn": Endpoint}

    def unsubscribe(self, SubscriptionArn: str) -> None:  # noqa: N803
        self.subscriptions.remove(SubscriptionArn)


class FakeQueues(FakeSQS):
    """Queues that can be created and deleted."""

    def create_queue(self, QueueName: str, Attributes: dict[str, str]) -> Any:  # noqa: N803
        self.queues[QueueName] = []
        return {"QueueUrl": QueueName}

    def set_queue_attributes(self, QueueUrl: str, Attributes: dict[str, str]) -> None:  # noqa: N803
        policy = json.loads(Attributes["Policy"])
        assert policy["Statement"][0]["Condition"] == {"ArnEquals": {"aws:SourceArn": "arn:alerts"}}

    def delete_queue(self, QueueUrl: str) -> None:  # noqa: N803
        del self.queues[QueueUrl]


def test_an_interrupted_subscriber_removes_its_queue_and_subscription() -> None:
    sqs, sns = FakeQueues(), FakeTopic()
    before = set(sqs.queues)
    subscriber = subscribed(pipeline(sqs=sqs, sns=sns))
    subscriber.__enter__()
    assert len(sns.subscriptions) == 1
    assert len(sqs.queues) == len(before) + 1
    assert not subscriber.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert sns.subscriptions == []
    assert set(sqs.queues) == before
