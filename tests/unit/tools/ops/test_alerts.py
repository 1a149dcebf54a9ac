from __future__ import annotations

import json
from collections import Counter
from typing import Any

from tests.unit.tools.ops.fakes import FakeSQS, pipeline
from tools.ops.demo.alerts import AlertCounts, AlertSubscriber, subscribed

RUN = {"m-1", "m-2"}


def _heard(*alerts: dict[str, Any]) -> AlertCounts:
    heard = AlertCounts()
    for alert in alerts:
        heard.take(alert, RUN)
    return heard


def test_only_alerts_about_the_run_count() -> None:
    heard = _heard(
        {"alert_type": "large_order", "message_id": "m-1"},
        {"alert_type": "large_order", "message_id": "somebody-elses"},
    )
    assert heard.by_type == {"large_order": 1}


def test_an_alert_published_twice_counts_once_and_is_said_to_be_repeated() -> None:
    heard = _heard(*[{"alert_type": "invalid_event", "message_id": "m-1"}] * 2)
    assert heard.by_type == {"invalid_event": 1}
    assert heard.repeated == 1


def test_a_batch_counts_when_it_holds_a_message_of_the_run() -> None:
    heard = _heard(
        {"alert_type": "batch_processed", "message_ids": ["other", "m-2"]},
        {"alert_type": "batch_processed", "message_ids": ["other"]},
    )
    assert heard.by_type == {"batch_processed": 1}


def test_a_listener_hears_until_what_is_expected_has_come() -> None:
    sqs = FakeSQS()
    sqs.queues["inbox"] = []
    notices = [{"alert_type": "large_order", "message_id": f"m-{number}"} for number in range(25)]
    sqs.put("inbox", *(json.dumps({"Message": json.dumps(notice)}) for notice in notices))
    ids = {f"m-{number}" for number in range(25)}
    heard = AlertSubscriber(sqs, "inbox").hear(ids, Counter({"large_order": 25}), patience=60)
    assert heard.by_type == {"large_order": 25}
    assert sqs.queues["inbox"] == []


def test_a_listener_that_hears_nothing_gives_up() -> None:
    sqs = FakeSQS()
    sqs.queues["inbox"] = []
    assert AlertSubscriber(sqs, "inbox").hear(RUN, Counter({"large_order": 1}), patience=0).by_type == {}


class FakeTopic:
    """Subscriptions of the alerts topic."""

    def __init__(self) -> None:
        self.subscriptions: list[str] = []

    def subscribe(self, Endpoint: str, **_: Any) -> Any:  # noqa: N803
        self.subscriptions.append(Endpoint)
        return {"SubscriptionArn": Endpoint}

    def unsubscribe(self, SubscriptionArn: str) -> None:  # noqa: N803
        self.subscriptions.remove(SubscriptionArn)


class Queues(FakeSQS):
    """Queues that can be made and deleted."""

    def create_queue(self, QueueName: str, Attributes: dict[str, str]) -> Any:  # noqa: N803
        self.queues[QueueName] = []
        return {"QueueUrl": QueueName}

    def set_queue_attributes(self, QueueUrl: str, Attributes: dict[str, str]) -> None:  # noqa: N803
        policy = json.loads(Attributes["Policy"])
        assert policy["Statement"][0]["Condition"] == {"ArnEquals": {"aws:SourceArn": "arn:alerts"}}

    def delete_queue(self, QueueUrl: str) -> None:  # noqa: N803
        del self.queues[QueueUrl]


def test_a_listener_leaves_nothing_behind_whatever_happens() -> None:
    sqs, sns = Queues(), FakeTopic()
    before = set(sqs.queues)
    listener = subscribed(pipeline(sqs=sqs, sns=sns))
    listener.__enter__()
    assert len(sns.subscriptions) == 1
    assert len(sqs.queues) == len(before) + 1
    assert not listener.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert sns.subscriptions == []
    assert set(sqs.queues) == before
