"""What an invocation says of itself: a line for the batch, and one for each message not kept."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

import contract
from processor import telemetry
from processor.work import REJECTED, RETURNED, STORED, Work, count


def report(works: list[Work], unread: list[str], request_id: str, now: datetime) -> None:
    """Log a batch and emit its metrics. ``unread`` are the ids of messages handed back unbegun."""
    for work in works:
        if work.outcome in (REJECTED, RETURNED):
            telemetry.log(
                "WARNING",
                f"message {work.outcome}",
                request_id=request_id,
                message_id=work.message.message_id,
                event_id=work.message.event_id,
                why=work.why,
                rules=sorted({violation.rule for violation in work.message.violations}) or None,
            )
    counts = count(works)
    stored = [work for work in works if work.outcome == STORED]
    by_type = {
        f"Stored{name.capitalize()}": sum(work.message.event_type == name for work in stored)
        for name in contract.SCHEMA["properties"]["event_type"]["enum"]
    }
    telemetry.metrics(
        now,
        {"FunctionName": os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "processor")},
        {
            "Received": counts["received"] + len(unread),
            "Stored": counts["stored"],
            **by_type,
            "Duplicates": counts["duplicates"],
            "Redelivered": counts["redelivered"],
            "Rejected": counts["rejected"],
            "Returned": counts["returned"] + len(unread),
            "LargeOrders": counts["large_orders"],
            "BytesIn": sum(work.message.payload.body_bytes for work in works),
            "BytesStored": sum(work.bytes_stored for work in works),
            "IngestLatency": [_latency(work) for work in stored],
        },
        request_id=request_id,
        unread=unread or None,
        events=[[work.message.event_id, work.message.message_id, work.outcome] for work in works],
    )


def _latency(work: Work) -> int:
    occurred_at = contract.parse_rfc3339(work.message.event["occurred_at"]) or work.message.processed_at
    return max(0, (work.message.processed_at - occurred_at) // timedelta(milliseconds=1))
