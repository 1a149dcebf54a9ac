"""Calls that hang, break, or are done although the function never hears of it."""

from __future__ import annotations

import pytest

from tests.chaos.chaos_harness import ChaosHarness
from tests.chaos.events import too_large_for_an_item
from tests.chaos.faults import answering_late, doing_late, losing_answers

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]

STORING = {"PutItem", "TransactWriteItems", "BatchWriteItem", "UpdateItem", "PutObject"}
# A call is given up after a sixth of the function's timeout of 6 s, and tried twice.
TOO_LATE = 2.5


@pytest.mark.parametrize("service", ["dynamodb", "sns"])
def test_calls_that_hang_until_they_are_given_up(harness: ChaosHarness, service: str) -> None:
    rule = {"service": service, "probability": 0.1, "timeout_ms": 4_000}
    with harness.run(f"{service}: 10% of calls hang") as run, harness.burst.microburst_rules(rule):
        run.produce(1_000)
        run.drain()


def test_connections_that_are_reset(harness: ChaosHarness) -> None:
    rule = {"service": "*", "probability": 0.15, "reset": True}
    with harness.run("15% of connections are reset") as run, harness.burst.microburst_rules(rule):
        run.produce(2_000)
        run.send(too_large_for_an_item(20))
        run.drain()


def test_writes_that_are_done_and_whose_answers_are_lost(harness: ChaosHarness) -> None:
    with (
        harness.run("writes: 20% of answers are lost") as run,
        harness.relay.spoiling(losing_answers(0.2, STORING)),
    ):
        run.produce(2_000)
        # Above 2 KiB an item is put alone, without a token that would make the second try harmless.
        run.produce(300, target_kb=40)
        run.send(too_large_for_an_item(20))
        run.drain()


def test_alerts_that_are_published_and_whose_answers_are_lost(harness: ChaosHarness) -> None:
    spoiler = losing_answers(0.2, {"PublishBatch"})
    with harness.run("alerts: 20% of answers are lost") as run, harness.relay.spoiling(spoiler):
        run.repeats_allowed = True
        run.produce(2_000)
        run.drain()


def test_writes_that_are_done_and_answered_when_nobody_waits_any_more(harness: ChaosHarness) -> None:
    spoiler = answering_late(0.1, TOO_LATE, STORING)
    with harness.run("writes: 10% are answered too late") as run, harness.relay.spoiling(spoiler):
        run.produce(1_000)
        run.drain()


def test_writes_that_are_done_only_after_they_were_given_up(harness: ChaosHarness) -> None:
    spoiler = doing_late(0.1, TOO_LATE, STORING)
    with harness.run("writes: 10% are done after they were given up") as run, harness.relay.spoiling(spoiler):
        run.produce(1_000)
        run.produce(200, target_kb=40)
        run.drain()
