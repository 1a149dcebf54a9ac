"""The log lines and metrics of an invocation: one line for the batch, one for each message not stored."""

from __future__ import annotations

from datetime import datetime, timedelta

import contract
from common import telemetry
from processor.items import ingest_latency_ms
from processor.results import REJECTED, RETURNED, STORED, MessageResult, count_outcomes


def report(
    results: list[MessageResult], unread: list[str], request_id: str, now: datetime, ended: datetime
) -> None:
    """Log a batch, which began at ``now`` and has ``ended``, and emit its metrics.

    ``unread`` are the ids of messages that return without being read.
    """
    for result in results:
        if result.outcome in (REJECTED, RETURNED):
            telemetry.log(
                "WARNING",
                f"message {result.outcome}",
                request_id=request_id,
                message_id=result.message.message_id,
                event_id=result.message.event_id,
                why=result.why,
                rules=sorted({violation.rule for violation in result.message.violations}) or None,
            )
    counts = count_outcomes(results)
    stored = [result for result in results if result.outcome == STORED]
    by_type = {
        f"Stored{name.capitalize()}": sum(result.message.event_type == name for result in stored)
        for name in contract.EVENT_TYPES
    }
    telemetry.metrics(
        "batch processed",
        now,
        {
            "Received": counts["received"] + len(unread),
            "Stored": counts["stored"],
            **by_type,
            "Duplicates": counts["duplicates"],
            "Redelivered": counts["redelivered"],
            "Rejected": counts["rejected"],
            "Returned": counts["returned"] + len(unread),
            "LargeOrders": counts["large_orders"],
            "BytesIn": sum(result.message.payload.body_bytes for result in results),
            "BytesStored": sum(result.bytes_stored for result in results),
            "IngestLatency": [ingest_latency_ms(result.message) for result in stored],
            # By SQS's clock, whatever the producer's says.
            "QueueLatency": [
                max(0, (ended - result.message.received_at) // timedelta(milliseconds=1)) for result in stored
            ],
        },
        request_id=request_id,
        unread=unread or None,
        events=[[result.message.event_id, result.message.message_id, result.outcome] for result in results],
    )
