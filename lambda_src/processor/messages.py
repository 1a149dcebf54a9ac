"""A record of the SQS event source mapping, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import contract
from contract.payload import Payload, pack

ORIGIN_ATTRIBUTE = "origin_message_id"
# What the contract gives a name to.
_NAMED = set(contract.SCHEMA["properties"]).union(
    *(definition.get("properties", ()) for definition in contract.SCHEMA["$defs"].values())
)
# SQS message ids have up to 100 characters (SQS developer guide, queue and message identifiers).
_LONGEST_ID = 100


@dataclass
class Message:
    """One message and what was found out about it.

    ``message_id`` is SQS's own, which the event source mapping knows; ``identity`` says which message of a
    sender this is: a replay or a redrive sends a copy under a new message id and names the first one in
    the message attribute ``origin_message_id``.
    """

    message_id: str
    identity: str
    body: str
    received_at: datetime
    processed_at: datetime
    event: Any = None
    violations: contract.Violations = field(default_factory=contract.Violations)

    @classmethod
    def read(cls, record: Mapping[str, Any], now: datetime) -> Message:
        """Read a record of a Lambda event (Lambda developer guide, services-sqs) and validate its body."""
        body = record.get("body")
        message = cls(
            message_id=record["messageId"],
            identity=_origin(record) or record["messageId"],
            body=body if isinstance(body, str) else "",
            received_at=_sent(record, now),
            processed_at=now,
        )
        # By when SQS took it, not by when it is read: each delivery of a message comes to the same verdict.
        event, message.violations = contract.read(message.body, message.received_at)
        # The rest is freed here: kept for a whole batch, some 10,000 small objects of 200 KB events would be
        # walked by each of the garbage collector's rounds.
        message.event = (
            {name: event[name] for name in event if name in _NAMED} if isinstance(event, dict) else event
        )
        return message

    @property
    def replayed(self) -> bool:
        """Whether this message is a copy that a replay or a redrive sent."""
        return self.identity != self.message_id

    @property
    def valid(self) -> bool:
        """Whether the contract finds nothing wrong with the event."""
        return not self.violations.total

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the body as sent."""
        return contract.content_hash(self.body)

    @cached_property
    def payload(self) -> Payload:
        """The body, packed for storage."""
        return pack(self.body.encode("utf-8", "surrogatepass"))

    @cached_property
    def event_id(self) -> str | None:
        """The event_id, also of an invalid event, where it is one that can be stored and logged."""
        return self._named("event_id")

    @cached_property
    def event_type(self) -> str | None:
        """The event_type, also of an invalid event, where it is one that the contract knows."""
        return self._named("event_type")

    def _named(self, name: str) -> str | None:
        if not isinstance(self.event, dict) or any(
            violation.path == f"$.{name}" for violation in self.violations
        ):
            return None
        value = self.event.get(name)
        return value if isinstance(value, str) else None


def _origin(record: Mapping[str, Any]) -> str | None:
    origin = (record.get("messageAttributes") or {}).get(ORIGIN_ATTRIBUTE) or {}
    value = origin.get("stringValue")
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST_ID and value.isascii() else None


def _sent(record: Mapping[str, Any], now: datetime) -> datetime:
    millis = (record.get("attributes") or {}).get("SentTimestamp")
    return datetime.fromtimestamp(int(millis) / 1000, UTC) if millis else now


def iso(moment: datetime) -> str:
    """UTC with milliseconds, ``2026-11-22T14:03:07.123Z``: one width, so that text order is time order."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
