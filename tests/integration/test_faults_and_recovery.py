"""A representative part of the fault runs: seconds each, with 1,600 events. tests/chaos has all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.chaos_harness import ChaosHarness, Stacks, start_harness
from tests.chaos.faults import killing, losing_answers
from tests.waiting import eventually


@pytest.fixture(scope="module")
def harness(new_stack: Stacks, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChaosHarness]:
    log = tmp_path_factory.mktemp("microburst") / "log"
    with start_harness(new_stack, log, function_timeout=6, visibility=3) as made:
        yield made


def test_a_thousand_events_come_through_while_dynamodb_and_sns_throttle_every_third_call(
    harness: ChaosHarness,
) -> None:
    throttling = (
        {"service": "dynamodb", "probability": 0.3, "error": {"code": "ThrottlingException", "status": 400}},
        {"service": "sns", "probability": 0.3, "error": {"code": "Throttling", "status": 400}},
    )
    with harness.run("throttling") as run, harness.burst.microburst_rules(*throttling):
        run.produce(1_000)
        run.drain()


def test_writes_whose_answers_are_lost_are_neither_lost_nor_doubled(harness: ChaosHarness) -> None:
    writes = {"PutItem", "TransactWriteItems", "BatchWriteItem", "UpdateItem"}
    with harness.run("answers lost") as run, harness.relay.spoiling(losing_answers(0.2, writes)):
        run.produce(200)
        run.produce(50, target_kb=40)
        run.drain()


def test_a_worker_killed_in_the_middle_of_a_batch_costs_no_event_and_no_alert(harness: ChaosHarness) -> None:
    with (
        harness.run("killed") as run,
        harness.relay.spoiling(killing(harness.kill_workers, every=15, most=4)),
    ):
        run.repeats_allowed = True
        run.produce(250)
        run.drain()


def test_what_is_dead_lettered_in_an_outage_of_sns_comes_back_with_a_redrive_and_is_alerted(
    harness: ChaosHarness,
) -> None:
    down = {"service": "sns", "error": {"code": "InternalFailure", "status": 500}}
    with harness.run("dead letters") as run:
        with harness.queue(maxReceiveCount="1"), harness.burst.microburst_rules(down):
            run.produce(100)
            eventually(lambda: harness.pipeline.depth() == 0, within=60, what="nothing is tried any more")
            assert harness.pipeline.depth(harness.pipeline.dlq_url) > 0
        run.drain()


def test_what_s3_refuses_and_a_killed_archiver_leaves_half_done_is_archived_all_the_same(
    harness: ChaosHarness,
) -> None:
    throttling = {"service": "s3", "probability": 0.3, "error": {"code": "SlowDown", "status": 503}}
    killed = killing(harness.kill_workers, every=10, most=3, operations={"PutObject"})
    with (
        harness.run("archive") as run,
        harness.burst.microburst_rules(throttling),
        harness.relay.spoiling(killed),
    ):
        run.repeats_allowed = True
        run.produce(200)
        run.drain()
