from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from producer.delivery import Result
from tests.unit.tools.ops.factories import duplicate, queued, rejected, sent, snapshot, stored
from tools.ops.demo.demo import AlertCounts, DemoResult, expected_alerts, show
from tools.ops.verify.reconcile import reconcile

RUN = [sent("1", "a", large=True), sent("2", "a", "duplicate", large=True), sent("3", "b", "rejected")]
SNAPSHOT = snapshot(
    stored=[stored("1", "a", large_order=True)],
    duplicates=[duplicate("2", "a")],
    rejected=[rejected("3", "b")],
)
SENT = Result(
    run_id="r1",
    seed=1,
    queue_url="http://x/events",
    manifest=None,
    count=3,
    sent_before=0,
    sent={"order": 1, "duplicate": 1, "invalid": 1},
    large_orders=1,
    bytes=3,
    seconds=0.1,
    retries=0,
    failed=[],
    unsent=0,
    interrupted=False,
    error=None,
)
ALL_ALERTS = AlertCounts(Counter({"large_order": 1, "invalid_event": 1}))
OK = DemoResult(SENT, reconcile(RUN, SNAPSHOT), ALL_ALERTS, seconds=1.0)


def test_a_demo_is_ok_if_every_event_is_processed_and_every_alert_received() -> None:
    assert OK.processed == 3
    assert OK.ok


def test_large_orders_and_rejections_cause_an_alert_and_duplicates_do_not() -> None:
    assert expected_alerts(OK.reconciliation) == {"large_order": 1, "invalid_event": 1}


def test_a_demo_with_a_lost_event_is_not_ok() -> None:
    assert not replace(OK, reconciliation=reconcile(RUN, replace(SNAPSHOT, rejected=[]))).ok


def test_a_demo_with_a_queued_event_is_not_ok() -> None:
    still_queued = replace(SNAPSHOT, rejected=[], queued=[queued("3", "b")])
    assert not replace(OK, reconciliation=reconcile(RUN, still_queued)).ok


def test_a_demo_with_a_missing_alert_is_not_ok() -> None:
    assert not replace(OK, alerts=AlertCounts(Counter({"invalid_event": 1}))).ok


def test_a_demo_with_an_unsent_event_is_not_ok() -> None:
    assert not replace(OK, sent=replace(SENT, unsent=1)).ok


def test_the_summary_counts_every_outcome(capsys: pytest.CaptureFixture[str]) -> None:
    show(OK)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    for expected in (
        ["stored", "1", "order", "1"],
        ["large", "orders", "1"],
        ["duplicates", "1"],
        ["rejected", "1"],
        ["json", "1"],
        ["dead-lettered", "0"],
        ["total", "3", "of", "3", "sent"],
        ["alerts", "large_order", "1", "of", "1", "expected"],
    ):
        assert expected in lines


@pytest.mark.parametrize("kept", [True, False])
def test_the_summary_says_if_content_was_not_compared(capsys: pytest.CaptureFixture[str], kept: bool) -> None:
    show(replace(OK, bodies_kept=kept))
    printed = capsys.readouterr().out.splitlines()
    notes = [line for line in printed if "content not compared: this LocalStack rewrites bodies" in line]
    assert len(notes) == (0 if kept else 1)
    assert all("keep_bodies.py" in line for line in notes)
    assert "Every event is accounted for." in printed


def test_the_summary_lists_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    lost = reconcile(RUN, replace(SNAPSHOT, rejected=[], queued=[queued("3", "b")]))
    show(replace(OK, reconciliation=lost, alerts=AlertCounts(), sent=replace(SENT, unsent=2)))
    printed = capsys.readouterr().out
    assert "Not every event is accounted for" in printed
    assert "2 events could not be sent" in printed
    assert "1 event still queued" in printed
    assert "1 large_order alerts are missing" in printed
