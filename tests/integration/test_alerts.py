"""Alerts reach who subscribes: `make alerts`, and a web hook."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any, ClassVar

import pytest

from tests.boundary import activity
from tests.integration.conftest import OUTCOME_SECONDS, Pipeline
from tests.integration.running_ops import environment_of, ops
from tests.targets import INSIDE
from tests.waiting import eventually
from tools.core.paths import ROOT


def order(amount: str, order_id: str) -> str:
    """Return the body of an order of one item."""
    event = json.loads(activity(f"alert-{uuid.uuid4()}", ""))
    fields = {"event_type": "order", "order_id": order_id, "currency": "EUR", "amount": "@"}
    items = [{"sku": "sku-1", "quantity": 1, "unit_price": "@"}]
    return json.dumps({**event, **fields, "items": items}).replace('"@"', amount)


@contextmanager
def following(pipeline: Pipeline, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """Run `make alerts` until the block ends, and yield it when it is subscribed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tools.ops", "alerts"],
        env=environment_of(pipeline, **variables),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout, process.stderr:
        try:
            assert "Waiting for alerts" in process.stderr.readline()
            yield process
        finally:
            process.kill()
            process.wait()


def left(pipeline: Pipeline) -> tuple[int, int]:
    """Return how many queues and subscriptions of `make alerts` there are."""
    prefix = f"{pipeline.name}-events-alerts-"
    queues = pipeline.sqs.list_queues(QueueNamePrefix=prefix).get("QueueUrls", [])
    return len(queues), sum(f":{prefix}" in each["Endpoint"] for each in subscriptions(pipeline))


def subscriptions(pipeline: Pipeline) -> list[dict[str, str]]:
    topic = pipeline.state.outputs["alerts_topic_arn"]
    pages = pipeline.state.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    return [each for page in pages for each in page["Subscriptions"]]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_alerts_are_followed_and_nothing_is_left_of_it(pipeline: Pipeline, number: signal.Signals) -> None:
    with following(pipeline, TYPE="large_order", MIN="5000 EUR") as process:
        assert left(pipeline) == (1, 1)
        pipeline.send(order("4999.99", "o-small"), order("5000", "o-large"), "not json")
        assert process.stdout is not None
        assert process.stdout.readline().endswith(" UTC\n")
        # A row that is too wide breaks before the sentence.
        line = process.stdout.readline()
        line += "" if "Large" in line else process.stdout.readline()
        assert "Large order: 5,000.00 EUR, order o-large, customer " in line
        process.send_signal(number)
        assert process.wait(timeout=60) == 130
    assert left(pipeline) == (0, 0)


def test_the_next_run_removes_what_kill_9_left(pipeline: Pipeline) -> None:
    with following(pipeline) as process:
        process.kill()
    assert left(pipeline) == (1, 1)
    with following(pipeline, JSON="1", TYPE="invalid_event") as process:
        assert left(pipeline) == (1, 1)
        (message_id,) = pipeline.send("not json")
        assert process.stdout is not None
        while (alert := json.loads(process.stdout.readline()))["message_id"] != message_id:
            pass
        assert alert["alert_type"] == "invalid_event"
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
    assert left(pipeline) == (0, 0)


@pytest.mark.parametrize("variables", [{"TYPE": "large"}, {"MIN": "much"}, {"JSON": "yes"}], ids=str)
def test_wrong_arguments_are_named_before_anything_is_created(
    pipeline: Pipeline, variables: dict[str, str]
) -> None:
    done = ops(pipeline, "alerts", **variables)
    assert done.returncode == 2
    assert next(iter(variables.values())) in done.stderr
    assert left(pipeline) == (0, 0)


class _Hook(BaseHTTPRequestHandler):
    posted: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.posted.append(json.loads(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def test_a_web_hook_confirms_and_gets_the_json_that_it_asked_for(pipeline: Pipeline) -> None:
    # By plain HTTP: MiniStack trusts no certificate that a test can make.
    if INSIDE in pipeline.target.lacks:
        pytest.skip(f"needs {INSIDE}: {pipeline.target.lacks[INSIDE]}")
    posted = _Hook.posted = []
    server = HTTPServer(("127.0.0.1", 0), _Hook)
    Thread(target=server.serve_forever, daemon=True).start()
    sns, topic = pipeline.state.client("sns"), pipeline.state.outputs["alerts_topic_arn"]
    endpoint = f"http://127.0.0.1:{server.server_port}/hook"
    try:
        policy = json.dumps({"alert_type": ["large_order"]})
        sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint, Attributes={"FilterPolicy": policy})
        (request,) = eventually(lambda: posted, within=30, what="the request to confirm")
        assert request["Type"] == "SubscriptionConfirmation"
        sns.confirm_subscription(TopicArn=topic, Token=request["Token"])
        _, message_id = pipeline.send("not json", order("1250", "o-1"))
        eventually(lambda: len(posted) > 1, within=OUTCOME_SECONDS, what="the alert")
        alert = json.loads(posted[1]["Message"])
        assert (alert["alert_type"], alert["message_id"]) == ("large_order", message_id)
    finally:
        for each in subscriptions(pipeline):
            if each["Endpoint"] == endpoint:
                sns.unsubscribe(SubscriptionArn=each["SubscriptionArn"])
        server.shutdown()
        server.server_close()
