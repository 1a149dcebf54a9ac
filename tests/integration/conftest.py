"""Bring up stacks for the tests by the same Terraform, on this run's target (tests/targets.py)."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from storage.payload import decode_payload
from tests import logs, receipt, targets, verified
from tests.schemas import check_alert
from tests.targets import INSIDE, Target
from tests.waiting import eventually
from tools.benchmarks.docs.asyncapi import ALERTS
from tools.core.errors import ToolError
from tools.core.state import StackState
from tools.local.processes import free_port as free_port

FUNCTION_TIMEOUT = 5
# A message returns to the queue after six times the function's timeout. The third delivery is the last.
VISIBILITY = 6 * FUNCTION_TIMEOUT
# Seconds until every outcome is visible, even if a call timed out on a busy machine and its message came
# twice.
OUTCOME_SECONDS = 2 * VISIBILITY + 30
OVERRIDES: dict[str, object] = {
    "function_timeout": FUNCTION_TIMEOUT,
    "max_receive_count": 3,
    "maximum_concurrency": 5,
}


@dataclass
class Inbox:
    """An SQS queue subscribed to a topic without a filter."""

    sqs: Any
    url: str
    alerts: list[dict[str, Any]] = field(default_factory=list)
    # The time of the subscription, in seconds since 1970.
    since: float = field(default_factory=time.time)

    def read(self) -> list[dict[str, Any]]:
        """Return every alert so far, with its message attributes under `_attributes`."""
        while True:
            answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10)
            messages = answer.get("Messages", [])
            if not messages:
                return self.alerts
            for message in messages:
                notification = json.loads(message["Body"])
                attributes = {k: v["Value"] for k, v in notification.get("MessageAttributes", {}).items()}
                alert = json.loads(notification["Message"])
                if attributes.get("alert_type") in ALERTS["$defs"]:  # a recipe adds another
                    check_alert(alert)
                self.alerts.append({**alert, "_attributes": attributes})
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def about(self, *message_ids: str) -> list[dict[str, Any]]:
        """Return the alerts about one of these messages, without batch summaries."""
        return [
            alert
            for alert in self.read()
            if alert["alert_type"] != "batch_processed" and alert["message_id"] in message_ids
        ]


class Pipeline:
    """A running stack, with helpers for tests."""

    def __init__(
        self, state: StackState, state_dir: Path, target: Target, variables: Mapping[str, object]
    ) -> None:
        self.state = state
        self.state_dir = state_dir
        self.target = target
        # Its Terraform variables.
        self.variables = variables
        self.name = state.name
        self.queue_url = str(state.outputs["queue_url"])
        self.dlq_url = str(state.outputs["dlq_url"])
        self.sqs = state.client("sqs")
        self.dynamodb = state.client("dynamodb")
        self.s3 = state.client("s3")

    def send(self, *bodies: str) -> list[str]:
        """Send bodies as messages. Return their message ids."""
        return [
            self.sqs.send_message(QueueUrl=self.queue_url, MessageBody=body)["MessageId"] for body in bodies
        ]

    def depth(self, url: str | None = None) -> int:
        """Return the number of messages visible, in flight and delayed."""
        names = ["", "NotVisible", "Delayed"]
        answer = self.sqs.get_queue_attributes(QueueUrl=url or self.queue_url, AttributeNames=["All"])
        return sum(int(answer["Attributes"][f"ApproximateNumberOfMessages{name}"]) for name in names)

    def drain(self, within: float = OUTCOME_SECONDS) -> None:
        """Wait until the events queue is empty."""
        eventually(lambda: self.depth() == 0, within=within, what="the events queue is empty")

    def item(self, table: str, key: str) -> dict[str, Any] | None:
        """Return the item of the table with this output name (table_name, ...), or None."""
        name = "event_id" if table == "table_name" else "message_id"
        answer = self.dynamodb.get_item(
            TableName=self.state.outputs[table], Key={name: {"S": key}}, ConsistentRead=True
        )
        item: dict[str, Any] | None = answer.get("Item")
        return item

    def awaited(self, table: str, key: str) -> dict[str, Any]:
        """Wait for the item of the table with this output name, and return it."""
        return eventually(lambda: self.item(table, key), within=OUTCOME_SECONDS, what=f"{key} in {table}")

    def body_of(self, item: Mapping[str, Any]) -> str:
        """Return the body of an item, from the table or from S3."""
        bucket = self.state.outputs["payload_bucket"]

        def fetch(key: str) -> bytes:
            content: bytes = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            return content

        return decode_payload(item, fetch).decode()

    def count(self, table: str) -> int:
        """Return the number of items in a table."""
        pages = self.dynamodb.get_paginator("scan").paginate(
            TableName=self.state.outputs[table], Select="COUNT"
        )
        return sum(page["Count"] for page in pages)

    @contextlib.contextmanager
    def inbox(self, output: str = "alerts_topic_arn") -> Iterator[Inbox]:
        """Subscribe to the topic with this output name."""
        sns = self.state.client("sns")
        url = self.sqs.create_queue(QueueName=f"{self.name}-inbox-{uuid.uuid4().hex[:12]}")["QueueUrl"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        topic = self.state.outputs[output]
        allow = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": attributes["QueueArn"],
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        subscription = sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=attributes["QueueArn"],
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        try:
            yield Inbox(self.sqs, url)
        finally:
            sns.unsubscribe(SubscriptionArn=subscription)
            self.sqs.delete_queue(QueueUrl=url)


@pytest.fixture(scope="session")
def target(pytestconfig: pytest.Config) -> Iterator[Target]:
    """Start this run's target, and yield it."""
    chosen = targets.chosen()
    with contextlib.ExitStack() as running:
        # Without capture, a pull of an image shows its progress.
        with pytestconfig.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
            try:
                running.enter_context(chosen.running())
            except ToolError as error:
                pytest.fail(str(error), pytrace=False)
        yield chosen


@pytest.fixture(scope="session")
def new_stack(
    target: Target, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Callable[..., AbstractContextManager[Pipeline]]:
    """Return a function that makes stacks: `with new_stack(overrides={...}) as pipeline`.

    A test that sets the emulator's environment or port is skipped if the target lacks INSIDE.
    """

    @contextlib.contextmanager
    def make(
        overrides: Mapping[str, object] | None = None,
        emulator_environment: Mapping[str, str] | None = None,
        port: int | None = None,
    ) -> Iterator[Pipeline]:
        if (emulator_environment or port) and INSIDE in target.lacks:
            pytest.skip(f"needs {INSIDE}: {target.lacks[INSIDE]}")
        state_dir = tmp_path_factory.mktemp("stack")
        variables = {**target.own_variables(), **OVERRIDES, **(overrides or {})}
        try:
            state = target.up(state_dir, variables, emulator_environment=emulator_environment, port=port)
            with logs.kept_where_a_test_fails(state, request.session):
                yield Pipeline(state, state_dir, target, variables)
        finally:
            target.down(state_dir)

    return make


@pytest.fixture(scope="session")
def pipeline(
    new_stack: Callable[..., AbstractContextManager[Pipeline]], pytestconfig: pytest.Config
) -> Iterator[Pipeline]:
    """Yield one running stack for all tests that can share it."""
    with new_stack() as running:
        yield running
        facts = verified.facts(running) if running.target.name == "account" else {}
        receipt.tested_on_stack(pytestconfig, running.state_dir, facts)
