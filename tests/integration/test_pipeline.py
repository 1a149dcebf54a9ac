"""End to end: what is sent to the queue comes out where it belongs, through real Terraform, IAM enforced."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import string
import uuid
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.integration.conftest import OUTCOME_SECONDS, Inbox, Pipeline
from tests.targets import BODIES
from tests.waiting import eventually
from tools.core.paths import LAMBDA_ZIP

SQS_LIMIT = 1024 * 1024


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def activity(**changes: Any) -> str:
    event = {
        "event_id": f"evt-{uuid.uuid4()}",
        "event_type": "activity",
        "occurred_at": now(),
        "customer_id": "cus-1",
        "session_id": "ses-1",
        "action": "page_view",
    }
    return json.dumps({**event, **changes})


def order(amount: str, **changes: Any) -> str:
    event = {
        "event_id": f"evt-{uuid.uuid4()}",
        "event_type": "order",
        "occurred_at": now(),
        "customer_id": "cus-1",
        "order_id": "ord-1",
        "currency": "EUR",
        "amount": "@",
        "items": [{"sku": "sku-1", "quantity": 1, "unit_price": "@"}],
        **changes,
    }
    return json.dumps(event).replace('"@"', amount)


def event_id(body: str) -> str:
    return str(json.loads(body)["event_id"])


def stored(pipeline: Pipeline, body: str) -> dict[str, Any]:
    return pipeline.awaited("table_name", event_id(body))


def rejected(pipeline: Pipeline, message_id: str) -> dict[str, Any]:
    return pipeline.awaited("rejected_table_name", message_id)


def alerted(pipeline: Pipeline, inbox: Inbox, *message_ids: str) -> set[tuple[str, str]]:
    """Which of these messages were alerted and as what: once, unless a call to SNS failed in the meantime."""
    came = Counter((alert["message_id"], alert["alert_type"]) for alert in inbox.about(*message_ids))
    repeated = [named for named, times in came.items() if times > 1]
    failed = [line for line in logged(pipeline, "call failed", inbox.since) if '"service":"sns"' in line]
    assert failed or not repeated, f"alerted more than once: {repeated}"
    return set(came)


def logged(pipeline: Pipeline, text: str, since: float = 0) -> list[str]:
    """The lines with a text in the function's log, from a time in seconds since 1970."""
    pages = (
        pipeline.state.client("logs")
        .get_paginator("filter_log_events")
        .paginate(
            logGroupName=f"/aws/lambda/{pipeline.state.outputs['function_name']}", startTime=int(1000 * since)
        )
    )
    return [entry["message"] for page in pages for entry in page["events"] if text in entry["message"]]


@pytest.mark.needs(BODIES)
def test_an_event_is_stored_exactly_as_sent_with_what_the_pipeline_adds(pipeline: Pipeline) -> None:
    body = order("10.10", metadata={"padding": "é" * 50, "rate": 1.10})
    pipeline.send(body)
    item = stored(pipeline, body)
    assert pipeline.body_of(item) == body
    assert item["amount"] == {"N": "10.1"}
    assert item["schema_version"] == {"S": "2.1.0"}
    assert item["received_at"]["S"] <= item["processed_at"]["S"]


@pytest.mark.parametrize("compressible", [True, False])
def test_an_event_of_a_mebibyte_comes_out_intact(pipeline: Pipeline, compressible: bool) -> None:
    room = SQS_LIMIT - len(activity(metadata=""))
    letters = random.Random(5).choices(string.ascii_letters + string.digits, k=room)
    body = activity(metadata="word " * (room // 5) if compressible else "".join(letters))
    pipeline.send(body)
    item = stored(pipeline, body)
    assert ("payload_key" in item) is not compressible
    assert pipeline.body_of(item) == body


def test_orders_above_1000_are_alerted_and_those_of_1000_are_not(pipeline: Pipeline) -> None:
    with pipeline.inbox() as inbox:
        at, above = pipeline.send(order("1000"), order("1000.01"))
        alerts = eventually(lambda: inbox.about(at, above), within=OUTCOME_SECONDS, what="an alert")
        pipeline.drain()
        assert alerted(pipeline, inbox, at, above) == {(above, "large_order")}
        assert alerts[0]["_attributes"] == {
            "alert_type": "large_order",
            "event_type": "order",
            "amount": "1000.01",
            "currency": json.loads(order("1"))["currency"],
        }
        assert alerts[0]["amount"] == "1000.01"


def test_an_invalid_body_is_kept_whole_with_its_reasons_and_alerted(pipeline: Pipeline) -> None:
    bodies = ["not json", "[]", activity(event_id=""), order("1", currency="eur", items=[])]
    with pipeline.inbox() as inbox:
        ids = pipeline.send(*bodies)
        items = [rejected(pipeline, message_id) for message_id in ids]
        assert [pipeline.body_of(item) for item in items] == bodies
        paths = [sorted(reason["M"]["path"]["S"] for reason in item["reasons"]["L"]) for item in items]
        assert paths == [["$"], ["$"], ["$.event_id"], ["$.currency", "$.items"]]
        expected = {(message_id, "invalid_event") for message_id in ids}
        eventually(
            lambda: alerted(pipeline, inbox, *ids) >= expected,
            within=OUTCOME_SECONDS,
            what="an alert for each",
        )
        assert alerted(pipeline, inbox, *ids) == expected
    pipeline.drain()


def test_the_same_event_again_is_counted_and_other_content_is_rejected(pipeline: Pipeline) -> None:
    first = order("2000")
    other = order("3000", event_id=event_id(first))
    with pipeline.inbox() as inbox:
        original, copy = pipeline.send(first, first)
        pipeline.drain()
        (conflict,) = pipeline.send(other)
        assert pipeline.body_of(rejected(pipeline, conflict)) == other
        pipeline.drain()
        assert pipeline.body_of(stored(pipeline, first)) == first
        duplicates = [m for m in (original, copy) if pipeline.item("duplicates_table_name", m)]
        assert len(duplicates) == 1
        (stored_as,) = {original, copy} - set(duplicates)
        assert alerted(pipeline, inbox, original, copy, conflict) == {
            (stored_as, "large_order"),
            (conflict, "event_id_conflict"),
        }


def test_every_invocation_publishes_a_summary_that_machines_can_filter(pipeline: Pipeline) -> None:
    with pipeline.inbox() as inbox:
        (message_id,) = pipeline.send(activity())
        (summary,) = eventually(
            lambda: [a for a in inbox.read() if message_id in a.get("message_ids", [])],
            within=OUTCOME_SECONDS,
            what="a summary",
        )
    assert summary["alert_type"] == summary["_attributes"]["alert_type"] == "batch_processed"
    assert (summary["received"], summary["stored"]) == (1, 1)


def test_the_function_logs_metrics_and_outcomes_but_no_payload_and_no_customer(pipeline: Pipeline) -> None:
    body = activity(customer_id="somebody-private", metadata="secret-payload")
    pipeline.send(body)
    stored(pipeline, body)
    (line,) = eventually(
        lambda: logged(pipeline, event_id(body)),
        within=OUTCOME_SECONDS,
        what="the batch is in the function's log",
    )
    entry = json.loads(line)
    assert [event_id(body), "stored"] == [entry["events"][0][0], entry["events"][0][2]]
    (directive,) = entry["_aws"]["CloudWatchMetrics"]
    assert {"Name": "Stored", "Unit": "Count"} in directive["Metrics"]
    assert entry["FunctionName"] == pipeline.state.outputs["function_name"]
    everything = "\n".join(logged(pipeline, event_id(body)))
    assert "secret-payload" not in everything
    assert "somebody-private" not in everything


def test_the_mapping_is_enabled_and_reports_batch_item_failures(pipeline: Pipeline) -> None:
    function = pipeline.state.client("lambda")
    (mapping,) = function.list_event_source_mappings(FunctionName=pipeline.state.outputs["function_name"])[
        "EventSourceMappings"
    ]
    assert mapping["State"] == "Enabled"
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 5}


def test_what_was_built_is_what_is_deployed(pipeline: Pipeline) -> None:

    function = pipeline.state.client("lambda").get_function(
        FunctionName=pipeline.state.outputs["function_name"]
    )
    digest = hashlib.sha256(LAMBDA_ZIP.read_bytes()).digest()
    assert function["Configuration"]["CodeSha256"] == base64.b64encode(digest).decode()
