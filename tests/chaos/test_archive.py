"""Whatever fault hits the archiver, everything stored is archived in the end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.chaos.chaos_harness import ChaosHarness
from tests.chaos.events import activity, too_large_for_an_item
from tests.chaos.faults import answering_late, killing, losing_answers
from tests.waiting import eventually
from tools.core.time_range import TimeRange
from tools.ops.recover import rearchive

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]

PUTS = {"PutObject"}
REFUSALS: dict[str, dict[str, Any]] = {
    "S3 throttles": {"service": "s3", "error": {"code": "SlowDown", "status": 503}},
    "S3 fails": {"service": "s3", "error": {"code": "InternalError", "status": 500}},
}


def test_an_archiver_that_is_killed_in_the_middle_of_a_batch(harness: ChaosHarness) -> None:
    killed = killing(harness.kill_workers, every=3, most=12, operations=PUTS)
    with harness.run("archiver killed at every third object") as run, harness.relay.spoiling(killed):
        run.repeats_allowed = True
        run.produce(1_000)
        run.drain()


@pytest.mark.parametrize("share", [0.1, 0.3])
@pytest.mark.parametrize("fault", REFUSALS)
def test_an_archive_that_refuses_now_and_then(harness: ChaosHarness, fault: str, share: float) -> None:
    microburst_rules = harness.burst.microburst_rules({**REFUSALS[fault], "probability": share})
    with harness.run(f"archive: {fault}, {share:.0%} of calls") as run, microburst_rules:
        run.produce(1_000)
        run.send(too_large_for_an_item(20))
        run.drain()


@pytest.mark.parametrize("fault", REFUSALS)
def test_an_archive_that_is_down_for_a_while(harness: ChaosHarness, fault: str) -> None:
    with harness.run(f"archive: {fault}, 100% for a while") as run:
        with harness.burst.microburst_rules(REFUSALS[fault]):
            before = harness.injected
            run.produce(1_000)
            eventually(lambda: harness.injected - before >= 20, within=60, what="twenty refusals")
        run.drain()


@pytest.mark.parametrize(
    ("how", "spoiler"),
    [("lost", losing_answers(0.5, PUTS)), ("late", answering_late(0.5, 4, PUTS))],
    ids=["lost", "late"],
)
def test_objects_that_are_written_although_the_archiver_is_not_told(
    harness: ChaosHarness, how: str, spoiler: Any
) -> None:
    with harness.run(f"archive: 50% of answers are {how}") as run, harness.relay.spoiling(spoiler):
        run.repeats_allowed = True
        before = harness.injected
        # A few objects hold all events of a second, and chance may pass them by.
        while harness.injected == before:
            run.produce(250)
            run.drain()


def test_a_record_that_nobody_can_read(harness: ChaosHarness) -> None:
    pipeline = harness.pipeline
    table = pipeline.state.outputs["table_name"]
    keys = [{"event_id": {"S": f"poison-{n}"}} for n in range(20)]
    with harness.run("archive: poison records") as run:
        try:
            for key in keys:
                pipeline.dynamodb.put_item(TableName=table, Item={**key, "note": {"S": "foreign"}})
                run.send([activity()])
            run.produce(500)
            run.drain()
        finally:
            # They are no events, and verify says so for as long as they are there.
            for key in keys:
                pipeline.dynamodb.delete_item(TableName=table, Key=key)


def test_what_lambda_gave_up_on_is_named_and_archived_again(harness: ChaosHarness) -> None:
    failures = harness.resources.archive_failures_queue_url
    with harness.run("archive: given up on, then make rearchive") as run:
        began = datetime.now(UTC)
        with (
            harness.archiving(MaximumRecordAgeInSeconds=1),
            harness.burst.microburst_rules(REFUSALS["S3 fails"]),
        ):
            run.produce(300)
            run.drain()
            eventually(lambda: harness.pipeline.depth(failures), within=60, what="Lambda gives up")
        named = rearchive.failed_batches(harness.resources)
        assert {failure.table for failure in named} <= {
            harness.resources.table_name,
            harness.resources.rejected_table_name,
            harness.resources.duplicates_table_name,
        }
        assert sum(failure.records for failure in named) > 0
        span = TimeRange(began - timedelta(seconds=1), datetime.now(UTC) + timedelta(seconds=1))
        done = rearchive.rearchive(harness.resources, span, lambda count: None)
        assert done.lines.total() > 0
        assert not done.refused
        harness.pipeline.sqs.purge_queue(QueueUrl=failures)
