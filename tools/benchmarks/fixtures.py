"""The events that are measured with: the producer's own, the same in every run."""

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
# Which messages of a run are of which kind.
VALID, LARGE, INVALID = "valid", "large", "invalid"


def messages(kb: float, kind: str | None = None) -> Iterator[Message]:
    """An endless run of messages of ``kb`` x 1,024 bytes; of one kind, or as the producer mixes them.

    Its mix has 5% large orders among the orders, and neither invalid events nor duplicates.
    """
    shares = Ratios(
        invalid=Fraction(1, 2) if kind == INVALID else Fraction(0),
        large=Fraction(1, 2) if kind == LARGE else Fraction(0) if kind == VALID else Fraction(1, 20),
    )
    events = Events(RunSpec(seed=SEED, start=SEEDED_START, target_bytes=round(kb * KB), ratios=shares))
    made = map(events.message, count())
    if kind == LARGE:
        return (message for message in made if message.large_order)
    if kind == INVALID:
        return (message for message in made if message.expect == "rejected")
    return made


def lambda_events(
    kb: float, batches: int, kind: str | None = None, size: int = BATCH
) -> list[dict[str, Any]]:
    """What an SQS event source mapping would invoke the function with, ``batches`` times."""
    run = messages(kb, kind)
    return [{"Records": [_record(message) for message in islice(run, size)]} for _ in range(batches)]


def write_lambda_events(
    path: Path, kb: float, batches: int, kind: str | None = None, size: int = BATCH
) -> Path:
    """Write such events to a file, one a line; returns the file."""
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
