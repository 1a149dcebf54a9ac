from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from producer.run import Result
from tests.unit.tools.ops.builders import duplicate, evidence, rejected, sent, stored, waiting
from tools.ops.demo import summary
from tools.ops.demo.alerts import AlertCounts
from tools.ops.demo.demo import Demonstration, expected_alerts
from tools.ops.verify.reconcile import reconcile

RUN = [sent("1", "a", large=True), sent("2", "a", "duplicate", large=True), sent("3", "b", "rejected")]
FOUND = evidence(
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
ALL_HEARD = AlertCounts(Counter({"large_order": 1, "invalid_event": 1}))
GOOD = Demonstration(SENT, reconcile(RUN, FOUND), ALL_HEARD, seconds=1.0)


def test_a_demo_adds_up_when_every_event_is_settled_and_every_alert_was_heard() -> None:
    assert GOOD.settled == 3
    assert GOOD.adds_up


def test_large_orders_and_rejections_deserve_an_alert_and_duplicates_do_not() -> None:
    assert expected_alerts(GOOD.account) == {"large_order": 1, "invalid_event": 1}


def test_a_lost_event_does_not_add_up() -> None:
    assert not replace(GOOD, account=reconcile(RUN, replace(FOUND, rejected=[]))).adds_up


def test_an_event_still_queued_does_not_add_up() -> None:
    queued = replace(FOUND, rejected=[], queued=[waiting("3", "b")])
    assert not replace(GOOD, account=reconcile(RUN, queued)).adds_up


def test_a_missing_alert_does_not_add_up() -> None:
    assert not replace(GOOD, heard=AlertCounts(Counter({"invalid_event": 1}))).adds_up


def test_an_event_that_could_not_be_sent_does_not_add_up() -> None:
    assert not replace(GOOD, sent=replace(SENT, unsent=1)).adds_up


def test_what_is_printed_says_what_became_of_every_event(capsys: pytest.CaptureFixture[str]) -> None:
    summary.show(GOOD)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    for expected in (
        ["stored", "1", "order", "1"],
        ["large", "orders", "1"],
        ["duplicates", "1"],
        ["rejected", "1"],
        ["json", "1"],
        ["dead-lettered", "0"],
        ["in", "all", "3", "of", "3", "sent"],
        ["alerts", "large_order", "1", "of", "1", "due"],
    ):
        assert expected in lines


@pytest.mark.parametrize("kept", [True, False])
def test_content_that_was_not_compared_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str], kept: bool
) -> None:
    summary.show(replace(GOOD, bodies_kept=kept))
    printed = capsys.readouterr().out.splitlines()
    said = [line for line in printed if "content not compared: this LocalStack rewrites bodies" in line]
    assert len(said) == (0 if kept else 1)
    assert all("keep_bodies.py" in line for line in said)
    assert "Every event is accounted for." in printed


def test_what_does_not_add_up_is_spelled_out(capsys: pytest.CaptureFixture[str]) -> None:
    lost = reconcile(RUN, replace(FOUND, rejected=[], queued=[waiting("3", "b")]))
    summary.show(replace(GOOD, account=lost, heard=AlertCounts(), sent=replace(SENT, unsent=2)))
    printed = capsys.readouterr().out
    assert "It does not add up" in printed
    assert "2 events could not be sent" in printed
    assert "1 event still queued" in printed
    assert "1 large_order alerts have not come" in printed
