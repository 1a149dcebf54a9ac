"""Throttling and errors of a service, now and then or for a while, end as messages handed back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chaos.chaos_harness import ChaosHarness
from tests.chaos.events import too_large_for_an_item
from tests.waiting import eventually

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]

REFUSALS: dict[str, dict[str, Any]] = {
    "DynamoDB throttles": {
        "service": "dynamodb", "error": {"code": "ProvisionedThroughputExceededException", "status": 400},
    },
    "DynamoDB fails": {"service": "dynamodb", "error": {"code": "InternalServerError", "status": 500}},
    "SNS throttles": {"service": "sns", "error": {"code": "Throttling", "status": 400}},
    "SNS fails": {"service": "sns", "error": {"code": "InternalFailure", "status": 500}},
}  # fmt: skip
S3_REFUSALS: dict[str, dict[str, Any]] = {
    "S3 throttles": {"service": "s3", "error": {"code": "SlowDown", "status": 503}},
    "S3 fails": {"service": "s3", "error": {"code": "InternalError", "status": 500}},
}


@pytest.mark.parametrize("share", [0.1, 0.3])
@pytest.mark.parametrize("fault", REFUSALS)
def test_calls_that_are_refused_now_and_then(harness: ChaosHarness, fault: str, share: float) -> None:
    with (
        harness.run(f"{fault}, {share:.0%} of calls") as run,
        harness.burst.microburst_rules({**REFUSALS[fault], "probability": share}),
    ):
        run.produce(2_000)
        run.drain()


@pytest.mark.parametrize("fault", REFUSALS)
def test_a_service_that_is_down_for_a_while(harness: ChaosHarness, fault: str) -> None:
    with harness.run(f"{fault}, 100% for a while") as run:
        with harness.burst.microburst_rules(REFUSALS[fault]):
            before = harness.injected
            run.produce(1_000)
            eventually(lambda: harness.injected - before >= 100, within=60, what="a hundred refusals")
        run.drain()


@pytest.mark.parametrize("share", [0.1, 0.3])
@pytest.mark.parametrize("fault", S3_REFUSALS)
def test_payloads_that_the_bucket_refuses_now_and_then(
    harness: ChaosHarness, fault: str, share: float
) -> None:
    bodies = list(too_large_for_an_item(60))
    with (
        harness.run(f"{fault}, {share:.0%} of calls") as run,
        harness.burst.microburst_rules({**S3_REFUSALS[fault], "probability": share}),
    ):
        run.produce(500)
        run.send(bodies)
        run.drain()
        # In another layout: to see that it is the same event, the function must read the first one back.
        run.send((f" {body}" for body in bodies), expect="duplicate")
        run.drain()


def left(harness: ChaosHarness) -> int:
    """Messages that are not processed; on a slow machine some die before the others are done."""
    return harness.pipeline.depth() + harness.pipeline.depth(harness.pipeline.dlq_url)


@pytest.mark.parametrize("fault", S3_REFUSALS)
def test_a_bucket_that_is_down_for_a_while_holds_up_nothing_that_fits_an_item(
    harness: ChaosHarness, fault: str
) -> None:
    with harness.run(f"{fault}, 100% for a while") as run:
        with harness.burst.microburst_rules(S3_REFUSALS[fault]):
            run.send(too_large_for_an_item(30))
            run.produce(1_000)
            eventually(lambda: left(harness) == 30, within=120, what="only the large ones are left")
        run.drain()
