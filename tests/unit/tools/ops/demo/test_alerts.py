from __future__ import annotations

import json
from collections import Counter
from typing import Any

from tests.unit.tools.fakes import FakeSQS
from tools.ops.alert_queue import AlertQueue
from tools.ops.demo.demo import AlertCounts, count_alerts

RUN = {"m-1", "m-2"}


def _counts(*alerts: dict[str, Any]) -> AlertCounts:
    counts = AlertCounts()
    for alert in alerts:
        counts.add(alert, RUN)
    return counts


def test_only_alerts_about_the_run_are_counted() -> None:
    counts = _counts(
        {"alert_type": "large_order", "message_id": "m-1"},
        {"alert_type": "large_order", "message_id": "other"},
    )
    assert counts.by_type == {"large_order": 1}


def test_an_alert_published_twice_counts_once_and_as_repeated() -> None:
    counts = _counts(*[{"alert_type": "invalid_event", "message_id": "m-1"}] * 2)
    assert counts.by_type == {"invalid_event": 1}
    assert counts.repeated == 1


def test_a_batch_counts_if_it_contains_a_message_of_the_run() -> None:
    counts = _counts(
        {"alert_type": "batch_processed", "message_ids": ["other", "m-2"]},
        {"alert_type": "batch_processed", "message_ids": ["other"]},
    )
    assert counts.by_type == {"batch_processed": 1}


def test_a_subscriber_counts_until_the_expected_alerts_have_arrived() -> None:
    sqs = FakeSQS()
    sqs.queues["queue"] = []
    alerts = [{"alert_type": "large_order", "message_id": f"m-{number}"} for number in range(25)]
    sqs.put("queue", *(json.dumps({"Message": json.dumps(alert)}) for alert in alerts))
    ids = {f"m-{number}" for number in range(25)}
    counts = count_alerts(AlertQueue(sqs, "queue"), ids, Counter({"large_order": 25}), idle_timeout=60)
    assert counts.by_type == {"large_order": 25}
    assert sqs.queues["queue"] == []


def test_a_subscriber_without_alerts_gives_up() -> None:
    sqs = FakeSQS()
    sqs.queues["queue"] = []
    assert (
        count_alerts(AlertQueue(sqs, "queue"), RUN, Counter({"large_order": 1}), idle_timeout=0).by_type == {}
    )
