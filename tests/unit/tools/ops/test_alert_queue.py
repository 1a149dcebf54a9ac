"""A subscriber leaves nothing behind, and removes what a killed one left."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import client_error
from tests.unit.tools.fakes import FakeSQS, pipeline
from tools.core.resources import Resources
from tools.ops.alert_queue import Notification, subscribed


class FakeTopic:
    """Subscriptions of the alerts topic: the ARN of each queue, with its filter."""

    def __init__(self) -> None:
        self.subscriptions: dict[str, dict[str, str]] = {}

    def subscribe(self, Endpoint: str, Attributes: dict[str, str], **_: Any) -> Any:  # noqa: N803
        self.subscriptions[Endpoint] = Attributes

    def unsubscribe(self, SubscriptionArn: str) -> None:  # noqa: N803
        del self.subscriptions[SubscriptionArn]

    def get_paginator(self, _operation: str) -> FakeTopic:
        return self

    def paginate(self, TopicArn: str) -> Any:  # noqa: N803
        return [{"Subscriptions": [{"Endpoint": arn, "SubscriptionArn": arn} for arn in self.subscriptions]}]


class FakeQueues(FakeSQS):
    """Queues that can be created and deleted. A queue's URL is its name."""

    def create_queue(self, QueueName: str, Attributes: dict[str, str]) -> Any:  # noqa: N803
        self.queues[QueueName] = []
        return {"QueueUrl": QueueName}

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: list[str]) -> Any:  # noqa: N803
        return {"Attributes": {"QueueArn": f"arn:aws:sqs:eu-west-1:1:{QueueUrl}"}}

    def set_queue_attributes(self, QueueUrl: str, Attributes: dict[str, str]) -> None:  # noqa: N803
        policy = json.loads(Attributes["Policy"])
        assert policy["Statement"][0]["Condition"] == {"ArnEquals": {"aws:SourceArn": "arn:alerts"}}

    def get_queue_url(self, QueueName: str) -> Any:  # noqa: N803
        if QueueName not in self.queues:
            raise client_error("GetQueueUrl", "QueueDoesNotExist")
        return {"QueueUrl": QueueName}

    def delete_queue(self, QueueUrl: str) -> None:  # noqa: N803
        del self.queues[QueueUrl]


class Harness:
    """A pipeline whose queues and subscriptions one can count."""

    def __init__(self, state_dir: Path) -> None:
        self.sqs, self.sns = FakeQueues(), FakeTopic()
        self.resources: Resources = replace(pipeline(sqs=self.sqs, sns=self.sns), state_dir=state_dir)
        self._before = set(self.sqs.queues)
        self._directory = state_dir / "alert-queues"

    def left(self) -> tuple[int, int, int]:
        """Return how many queues, subscriptions and records there are."""
        records = len(list(self._directory.iterdir())) if self._directory.exists() else 0
        return len(set(self.sqs.queues) - self._before), len(self.sns.subscriptions), records

    def killed(self) -> None:
        """Leave behind what a command leaves that kill -9 ends."""
        name = f"{self.resources.queue_name}-alerts-dead"
        self._directory.mkdir(exist_ok=True)
        (self._directory / name).touch()
        self.sqs.queues[name] = []
        self.sns.subscriptions[f"arn:aws:sqs:eu-west-1:1:{name}"] = {}


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    return Harness(tmp_path)


def test_an_interrupted_subscriber_removes_its_queue_and_subscription(harness: Harness) -> None:
    subscriber = subscribed(harness.resources, "alerts")
    subscriber.__enter__()
    assert harness.left() == (1, 1, 1)
    assert not subscriber.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert harness.left() == (0, 0, 0)


def test_a_subscription_that_is_refused_leaves_no_queue(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> None:
        raise client_error("Subscribe", "AuthorizationError")

    monkeypatch.setattr(harness.sns, "subscribe", refuse)
    with pytest.raises(Exception, match="AuthorizationError"), subscribed(harness.resources, "alerts"):
        pass
    assert harness.left() == (0, 0, 0)


def test_the_next_run_removes_what_a_killed_one_left(harness: Harness) -> None:
    harness.killed()
    with subscribed(harness.resources, "alerts"):
        assert harness.left() == (1, 1, 1)
    assert harness.left() == (0, 0, 0)


def test_what_was_killed_before_its_queue_was_there_is_no_obstacle(harness: Harness) -> None:
    harness.killed()
    harness.sqs.queues.popitem()
    harness.sns.subscriptions.clear()
    with subscribed(harness.resources, "alerts"):
        pass
    assert harness.left() == (0, 0, 0)


def test_two_commands_at_once_leave_each_other_alone(harness: Harness) -> None:
    with subscribed(harness.resources, "alerts"), subscribed(harness.resources, "demo"):
        assert harness.left() == (2, 2, 2)


def test_the_topic_filters(harness: Harness) -> None:
    with subscribed(harness.resources, "alerts", {"alert_type": ["large_order"]}):
        (attributes,) = harness.sns.subscriptions.values()
    assert json.loads(attributes["FilterPolicy"]) == {"alert_type": ["large_order"]}


@pytest.mark.parametrize("message", ["", "not json", "[]", "1", "[" * 100_000])
def test_a_message_that_is_no_alert_is_none(message: str) -> None:
    assert Notification("", message).alert is None
