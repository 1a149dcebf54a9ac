"""`make events`, end to end."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid

import pytest

from tests.integration.conftest import Pipeline
from tests.integration.running_ops import environment_of, ops
from tests.integration.test_pipeline import activity, event_id, order, stored
from tools.core.paths import ROOT


@pytest.fixture(scope="module")
def customer(pipeline: Pipeline) -> str:
    """Return a customer with an activity, a small order and a large order."""
    name = f"cus-{uuid.uuid4().hex}"
    for body in (activity(customer_id=name), order("10", customer_id=name), order("4000", customer_id=name)):
        pipeline.send(body)
        stored(pipeline, body)
    return name


def listed(pipeline: Pipeline, **variables: str) -> list[tuple[str, str]]:
    """Return the type and customer of the listed events."""
    result = ops(pipeline, "events", JSON="1", **variables)
    assert result.returncode == 0, result.stderr
    events = [json.loads(line) for line in result.stdout.splitlines()]
    return [(event["event_type"], event["customer_id"]) for event in events]


def test_the_events_of_a_customer_come_newest_first(pipeline: Pipeline, customer: str) -> None:
    types = ["order", "order", "activity"]
    assert listed(pipeline, CUSTOMER=customer) == [(event_type, customer) for event_type in types]
    assert listed(pipeline, CUSTOMER=customer, TYPE="activity") == [("activity", customer)]
    assert listed(pipeline, CUSTOMER=customer, LARGE="1") == [("order", customer)]
    assert listed(pipeline, CUSTOMER=customer, LIMIT="2") == [("order", customer)] * 2
    assert listed(pipeline, CUSTOMER=customer, SINCE="1h", LIMIT="1") == [("order", customer)]


@pytest.mark.parametrize("filters", [{}, {"TYPE": "order"}, {"LARGE": "1"}], ids=["all", "type", "large"])
def test_the_newest_event_is_first_in_every_list(
    pipeline: Pipeline, customer: str, filters: dict[str, str]
) -> None:
    pipeline.drain()
    body = order("5000", customer_id=customer)
    pipeline.send(body)
    stored(pipeline, body)
    result = ops(pipeline, "events", LIMIT="1", **filters)
    assert event_id(body) in result.stdout
    assert "5000 EUR  large" in result.stdout


def test_a_closed_pipe_is_not_an_error(pipeline: Pipeline, customer: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tools.ops", "events"],
        env=environment_of(pipeline, CUSTOMER=customer),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0
