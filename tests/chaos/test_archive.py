"""Whatever befalls the archiver, in the end what is stored is archived."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.chaos.events import activity, too_large_for_an_item
from tests.chaos.rig import Rig
from tests.chaos.spoilers import answering_late, killing, losing_answers
from tests.waiting import eventually
from tools.core.time_range import TimeRange
from tools.ops.recover import rearchive

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]

PUTS = {"PutObject"}
REFUSALS: dict[str, dict[str, Any]] = {
    "S3 throttles": {"service": "s3", "error": {"code": "SlowDown", "status": 503}},
    "S3 fails": {"service": "s3", "error": {"code": "InternalError", "status": 500}},
}


def test_an_archiver_that_is_killed_in_the_middle_of_a_batch(rig: Rig) -> None:
    killed = killing(rig.kill_workers, every=3, most=12, operations=PUTS)
    with rig.run("archiver killed at every third object") as run, rig.relay.spoiling(killed):
        run.repeats_allowed = True
        run.produce(1_000)
        run.settle()


@pytest.mark.parametrize("share", [0.1, 0.3])
@pytest.mark.parametrize("fault", REFUSALS)
def test_an_archive_that_refuses_now_and_then(rig: Rig, fault: str, share: float) -> None:
    raining = rig.burst.raining({**REFUSALS[fault], "probability": share})
    with rig.run(f"archive: {fault}, {share:.0%} of calls") as run, raining:
        run.produce(1_000)
        run.send(too_large_for_an_item(20))
        run.settle()


@pytest.mark.parametrize("fault", REFUSALS)
def test_an_archive_that_is_down_for_a_while(rig: Rig, fault: str) -> None:
    with rig.run(f"archive: {fault}, 100% for a while") as run:
        with rig.burst.raining(REFUSALS[fault]):
            before = rig.injected
            run.produce(1_000)
            eventually(lambda: rig.injected - before >= 20, within=60, what="twenty refusals")
        run.settle()


@pytest.mark.parametrize(
    ("how", "spoiler"),
    [("lost", losing_answers(0.5, PUTS)), ("late", answering_late(0.5, 4, PUTS))],
    ids=["lost", "late"],
)
def test_objects_that_are_written_although_the_archiver_is_not_told(rig: Rig, how: str, spoiler: Any) -> None:
    with rig.run(f"archive: 50% of answers are {how}") as run, rig.relay.spoiling(spoiler):
        run.repeats_allowed = True
        before = rig.injected
        # A few objects hold all events of a second, and chance may pass them by.
        while rig.injected == before:
            run.produce(250)
            run.settle()


def test_a_record_that_nobody_can_read(rig: Rig) -> None:
    pipeline = rig.pipeline
    table = pipeline.state.outputs["table_name"]
    keys = [{"event_id": {"S": f"poison-{n}"}} for n in range(20)]
    with rig.run("archive: poison records") as run:
        try:
            for key in keys:
                pipeline.dynamodb.put_item(TableName=table, Item={**key, "note": {"S": "foreign"}})
                run.send([activity()])
            run.produce(500)
            run.settle()
        finally:
            # They are no events, and verify says so for as long as they are there.
            for key in keys:
                pipeline.dynamodb.delete_item(TableName=table, Key=key)


def test_what_lambda_gave_up_on_is_named_and_archived_again(rig: Rig) -> None:
    failures = rig.resources.archive_failures_queue_url
    with rig.run("archive: given up on, then make rearchive") as run:
        began = datetime.now(UTC)
        with rig.archiving(MaximumRecordAgeInSeconds=1), rig.burst.raining(REFUSALS["S3 fails"]):
            run.produce(300)
            run.settle()
            eventually(lambda: rig.pipeline.depth(failures), within=60, what="Lambda gives up")
        named = rearchive.failed_batches(rig.resources)
        assert {failure.table for failure in named} <= {
            rig.resources.table_name,
            rig.resources.rejected_table_name,
        }
        assert sum(failure.records for failure in named) > 0
        span = TimeRange(began - timedelta(seconds=1), datetime.now(UTC) + timedelta(seconds=1))
        done = rearchive.rearchive(rig.resources, span, lambda count: None)
        assert done.lines.total() > 0
        assert not done.refused
        rig.pipeline.sqs.purge_queue(QueueUrl=failures)
