"""What SQS and Lambda do to deliveries: again, at once, too late, too often, and with the function killed."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.chaos.events import activity
from tests.chaos.rig import Rig
from tests.chaos.spoilers import (
    cancelling,
    killing,
    leaving_unprocessed,
    losing_answers,
    refusing_entries,
)
from tests.waiting import eventually
from tools.ops.verify import snapshot

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]


def test_workers_that_are_killed_in_the_middle_of_a_batch(rig: Rig) -> None:
    spoiler = killing(rig.kill_workers, every=25, most=12)
    with rig.run("all workers killed, 12 times") as run, rig.relay.spoiling(spoiler):
        run.repeats_allowed = True
        run.produce(1_500)
        run.settle()


def test_every_message_delivered_twice_at_the_same_time(rig: Rig) -> None:
    with rig.run("every message delivered twice at once") as run:
        with rig.held():
            run.produce(500)
            records = rig.waiting()
        batches = [records[start : start + 10] for start in range(0, len(records), 10)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(rig.invoke, batches))
        run.row.injected = len(records)
        run.settle()


def test_a_visibility_timeout_that_runs_out_while_messages_are_processed(rig: Rig) -> None:
    slow = {"service": "*", "latency": {"min": 400, "max": 700}}
    with (
        rig.run("the visibility timeout runs out during processing") as run,
        rig.queue(VisibilityTimeout="1", maxReceiveCount="100"),
        rig.burst.raining(slow),
    ):
        run.produce(300)
        run.settle()


def test_conflicting_events_delivered_at_the_same_time(rig: Rig) -> None:
    events, versions = 200, 4
    with rig.run("4 contents for each event_id, delivered at once") as run:
        by_event = [activity(event_id=f"evt-{random.getrandbits(64)}") for _ in range(events)]
        bodies = [body[:-1] + f', "version": {n}}}' for body in by_event for n in range(versions)]
        random.shuffle(bodies)
        with rig.held():
            run.send(bodies)
        run.settle()
        kept = {item.content_hash for item in snapshot.collect(rig.resources).stored}
        # Whichever came first is stored; each other one must be in `rejected`, whole, and alerted.
        run.sent = [replace(s, expect="stored" if s.content_hash in kept else "rejected") for s in run.sent]
        run.row.injected = events * (versions - 1)
    assert (run.row.stored, run.row.rejected) == (events, events * (versions - 1))


@pytest.mark.parametrize("service", ["dynamodb", "sns"])
def test_messages_retried_to_the_limit_are_dead_lettered_and_come_back_with_a_redrive(
    rig: Rig, service: str
) -> None:
    down = {"service": service, "error": {"code": "InternalFailure", "status": 500}}
    with rig.run(f"{service} down until events are dead-lettered, redrive") as run:
        with rig.queue(maxReceiveCount="2"), rig.burst.raining(down):
            run.produce(300)
            eventually(lambda: rig.pipeline.depth() == 0, within=120, what="nothing is tried any more")
            assert rig.pipeline.depth(rig.pipeline.dlq_url) > 0
        run.settle()


def test_everything_at_once(rig: Rig) -> None:
    rain = (
        {"service": "*", "probability": 0.03, "reset": True},
        {"service": "*", "probability": 0.02, "timeout_ms": 3_000},
        {"service": "dynamodb", "probability": 0.08, "error": {"code": "ThrottlingException", "status": 400}},
        {"service": "sns", "probability": 0.1, "error": {"code": "InternalFailure", "status": 500}},
    )
    spoilers = (
        killing(rig.kill_workers, every=60, most=8),
        losing_answers(0.05),
        cancelling(0.1, ("ThrottlingError", "TransactionConflict")),
        leaving_unprocessed(0.2),
        refusing_entries(0.2),
    )
    with rig.run("everything at once") as run, rig.burst.raining(*rain), rig.relay.spoiling(*spoilers):
        run.repeats_allowed = True
        run.produce(3_000)
        run.settle(within=300)
