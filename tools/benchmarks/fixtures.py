"""Generate the measured events with the producer's own generator. Every run has the same ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from itertools import count, islice
from pathlib import Path
from typing import Any

from producer.generate.events import SEEDED_START, Events, RunSpec
from producer.generate.messages import Message
from producer.generate.plan import Ratios

SEED = 2026
BATCH = 10
KB = 1024
# The kinds of messages that a benchmark can ask for.
VALID, LARGE, INVALID = "valid", "large", "invalid"


def generate_messages(kb: float, kind: str | None = None) -> Iterator[Message]:
    """Yield messages of ``kb`` x 1,024 bytes without end, of one kind or in the producer's mix.

    The mix has 5% large orders among the orders, and neither invalid events nor duplicates.
    """
    ratios = Ratios(
        invalid=Fraction(1, 2) if kind == INVALID else Fraction(0),
        large=Fraction(1, 2) if kind == LARGE else Fraction(0) if kind == VALID else Fraction(1, 20),
    )
    events = Events(RunSpec(seed=SEED, start=SEEDED_START, target_bytes=round(kb * KB), ratios=ratios))
    messages = map(events.message, count())
    if kind == LARGE:
        return (message for message in messages if message.large_order)
    if kind == INVALID:
        return (message for message in messages if message.expect == "rejected")
    return messages


def lambda_events(
    kb: float, batches: int, kind: str | None = None, size: int = BATCH
) -> list[dict[str, Any]]:
    """Return the events of ``batches`` invocations by an SQS event source mapping."""
    messages = generate_messages(kb, kind)
    return [{"Records": [_record(message) for message in islice(messages, size)]} for _ in range(batches)]


def write_lambda_events(
    path: Path, kb: float, batches: int, kind: str | None = None, size: int = BATCH
) -> Path:
    """Write `lambda_events` to a file, one per line. Return the file."""
    path.write_text("".join(json.dumps(event) + "\n" for event in lambda_events(kb, batches, kind, size)))
    return path


def _record(message: Message) -> dict[str, Any]:
    # Lambda developer guide, "Using Lambda with Amazon SQS".
    return {
        "messageId": f"00000000-0000-4000-8000-{message.number:012}",
        "receiptHandle": "A" * 200,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1795399387000",
            "SenderId": "AIDAEXAMPLE",
            "ApproximateFirstReceiveTimestamp": "1795399387010",
        },
        "messageAttributes": {},
        "md5OfBody": "0" * 32,
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:events",
        "awsRegion": "us-east-1",
    }
