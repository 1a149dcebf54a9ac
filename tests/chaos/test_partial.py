"""Answers that are good in part."""

from __future__ import annotations

import pytest

from tests.chaos.chaos_harness import ChaosHarness
from tests.chaos.faults import cancelling, leaving_unprocessed, refusing_entries

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]


def test_duplicates_left_unprocessed_by_an_answer_that_is_otherwise_good(harness: ChaosHarness) -> None:
    with harness.run("BatchWriteItem: 50% of answers leave some unprocessed") as run:
        # One at a time the copies would make batches of one row, of which no half can be left.
        with harness.mapping_disabled(), harness.relay.spoiling(leaving_unprocessed(0.5)):
            run.produce(1_000, duplicate_ratio=0.4)
        with harness.relay.spoiling(leaving_unprocessed(0.5)):
            run.drain()


def test_alerts_of_which_sns_takes_a_part(harness: ChaosHarness) -> None:
    spoiler = refusing_entries(0.5)
    with (
        harness.run("PublishBatch: 50% of answers refuse some entries") as run,
        harness.relay.spoiling(spoiler),
    ):
        run.produce(2_000, large_ratio=0.5)
        run.drain()


@pytest.mark.parametrize(
    "codes",
    [
        ("ThrottlingError",),
        ("TransactionConflict",),
        ("ProvisionedThroughputExceeded", "TransactionConflict"),
    ],
    ids=", ".join,
)
def test_transactions_that_are_cancelled_because_of_some_of_their_actions(
    harness: ChaosHarness, codes: tuple[str, ...]
) -> None:
    with (
        harness.run(f"30% of transactions cancelled: {', '.join(codes)}") as run,
        harness.relay.spoiling(cancelling(0.3, codes)),
    ):
        run.produce(2_000)
        run.drain()
