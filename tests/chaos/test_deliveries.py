"""What SQS and Lambda do to deliveries: again, at once, too late, too often, and with the function killed."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.chaos.chaos_harness import ChaosHarness
from tests.chaos.events import activity
from tests.chaos.faults import (
    cancelling,
    killing,
    leaving_unprocessed,
    losing_answers,
    refusing_entries,
)
from tests.waiting import eventually
from tools.ops.verify.lookup import Lookup

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]


def test_workers_that_are_killed_in_the_middle_of_a_batch(harness: ChaosHarness) -> None:
    spoiler = killing(harness.kill_workers, every=25, most=12)
    with harness.run("all workers killed, 12 times") as run, harness.relay.spoiling(spoiler):
        run.repeats_allowed = True
        run.produce(1_500)
        run.drain()


def test_every_message_delivered_twice_at_the_same_time(harness: ChaosHarness) -> None:
    with harness.run("every message delivered twice at once") as run:
        with harness.mapping_disabled():
            run.produce(500)
            records = harness.waiting()
        batches = [records[start : start + 10] for start in range(0, len(records), 10)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(harness.invoke, batches))
        run.row.injected = len(records)
        run.drain()


def test_a_visibility_timeout_that_runs_out_while_messages_are_processed(harness: ChaosHarness) -> None:
    slow = {"service": "*", "latency": {"min": 400, "max": 700}}
    with (
        harness.run("the visibility timeout runs out during processing") as run,
        harness.queue(VisibilityTimeout="1", maxReceiveCount="100"),
        harness.burst.microburst_rules(slow),
    ):
        run.produce(300)
        run.drain()


def test_conflicting_events_delivered_at_the_same_time(harness: ChaosHarness) -> None:
    events, versions = 200, 4
    with harness.run("4 contents for each event_id, delivered at once") as run:
        by_event = [activity(event_id=f"evt-{random.getrandbits(64)}") for _ in range(events)]
        bodies = [body[:-1] + f', "version": {n}}}' for body in by_event for n in range(versions)]
        random.shuffle(bodies)
        with harness.mapping_disabled():
            run.send(bodies)
        run.drain()
        kept = {item.content_hash for item in Lookup(harness.resources).collect(run.sent).stored}
        # Whichever came first is stored; each other one must be in `rejected`, whole, and alerted.
        run.sent = [replace(s, expect="stored" if s.content_hash in kept else "rejected") for s in run.sent]
        run.row.injected = events * (versions - 1)
    assert (run.row.stored, run.row.rejected) == (events, events * (versions - 1))


@pytest.mark.parametrize("service", ["dynamodb", "sns"])
def test_messages_retried_to_the_limit_are_dead_lettered_and_come_back_with_a_redrive(
    harness: ChaosHarness, service: str
) -> None:
    down = {"service": service, "error": {"code": "InternalFailure", "status": 500}}
    with harness.run(f"{service} down until events are dead-lettered, redrive") as run:
        with harness.queue(maxReceiveCount="2"), harness.burst.microburst_rules(down):
            run.produce(300)
            eventually(lambda: harness.pipeline.depth() == 0, within=120, what="nothing is tried any more")
            assert harness.pipeline.depth(harness.pipeline.dlq_url) > 0
        run.drain()


def test_everything_at_once(harness: ChaosHarness) -> None:
    rain = (
        {"service": "*", "probability": 0.03, "reset": True},
        {"service": "*", "probability": 0.02, "timeout_ms": 3_000},
        {"service": "dynamodb", "probability": 0.08, "error": {"code": "ThrottlingException", "status": 400}},
        {"service": "sns", "probability": 0.1, "error": {"code": "InternalFailure", "status": 500}},
    )
    spoilers = (
        killing(harness.kill_workers, every=60, most=8),
        losing_answers(0.05),
        cancelling(0.1, ("ThrottlingError", "TransactionConflict")),
        leaving_unprocessed(0.2),
        refusing_entries(0.2),
    )
    with (
        harness.run("everything at once") as run,
        harness.burst.microburst_rules(*rain),
        harness.relay.spoiling(*spoilers),
    ):
        run.repeats_allowed = True
        run.produce(3_000)
        run.drain(within=300)
