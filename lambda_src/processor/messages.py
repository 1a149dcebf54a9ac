"""A message of the events queue: decoded, validated and encoded for storage."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import contract
from common.origin import ORIGIN_ATTRIBUTE, SIGNATURE_ATTRIBUTE, is_signed
from storage.payload import Payload, encode_payload

# SQS message ids have up to 100 characters (SQS developer guide, queue and message identifiers).
_MAX_ID_LENGTH = 100
# What SNS accepts as an attribute, and a filter policy can name.
_TYPE_NAME = re.compile(r"[\w.:/-]{1,64}", re.ASCII)


@dataclass
class Message:
    """One message and what the processor learned about it.

    ``message_id`` is SQS's own, which the event source mapping knows. ``origin_id`` is the id under which the
    message was first sent: a replay or a redrive sends a copy under a new message id and names the first one
    in the message attribute ``origin_message_id``, which it signs. ``claimed_origin_id`` is an origin without
    a valid signature, which anybody who may send can write; it is kept as data.

    ``raw`` is the body in UTF-8, and ``content_hash`` its SHA-256. ``event_id`` and ``event_type`` are
    set by `validate`, of an invalid event too: the id if it can be stored, the type if the contract knows it.
    """

    message_id: str
    origin_id: str
    body: str
    raw: bytes
    content_hash: str
    received_at: datetime
    processed_at: datetime
    claimed_origin_id: str | None = None
    event: dict[str, Any] = field(default_factory=dict)
    event_id: str | None = None
    event_type: str | None = None
    violations: contract.Violations = field(default_factory=contract.Violations)
    payload: Payload = field(init=False)

    @classmethod
    def decode(cls, record: Mapping[str, Any], now: datetime, origin_key: str = "") -> Message:
        """Read a record of a Lambda event (Lambda developer guide, services-sqs)."""
        body = record.get("body")
        if not isinstance(body, str):
            body = ""
        raw = contract.encoded(body)
        message = cls(
            message_id=record["messageId"],
            origin_id=record["messageId"],
            body=body,
            raw=raw,
            content_hash=contract.content_hash(raw),
            received_at=_sent_at(record, now),
            processed_at=now,
        )
        if origin := _attribute(record, ORIGIN_ATTRIBUTE):
            signature = _attribute(record, SIGNATURE_ATTRIBUTE)
            if len(origin) <= _MAX_ID_LENGTH and is_signed(
                origin_key, origin, message.content_hash, signature
            ):
                message.origin_id = origin
            else:
                message.claimed_origin_id = origin[:_MAX_ID_LENGTH]
        return message

    @classmethod
    def read(cls, record: Mapping[str, Any], now: datetime, origin_key: str = "") -> Message:
        """Decode a record, validate its event, and encode its payload."""
        message = cls.decode(record, now, origin_key)
        message.validate()
        message.encode()
        return message

    def validate(self) -> None:
        """Decode the body's JSON and check the event against the contract.

        Time is when SQS received the message, so that each delivery of it has the same result.
        """
        event, self.violations = contract.read(self.body, self.received_at, self.raw)
        # Only these fields are kept: the garbage collector would walk the 10,000 objects of a 200 KB event.
        if self.valid:
            self.event = contract.declared(event)
        elif isinstance(event, dict):
            self.event = {name: event[name] for name in ("event_id", "event_type") if name in event}
        self.event_id = self._valid_field("event_id")
        self.event_type = self._valid_field("event_type")

    def encode(self) -> None:
        """Compress the body for storage."""
        self.payload = encode_payload(self.raw)

    @property
    def is_copy(self) -> bool:
        """Whether a replay or a redrive sent this message."""
        return self.origin_id != self.message_id

    @property
    def valid(self) -> bool:
        """Whether the event has no violations."""
        return not self.violations.total

    @property
    def stated_type(self) -> str | None:
        """The event_type as sent, known or not, if subscribers of alerts can filter by it."""
        value = self.event.get("event_type")
        return value if isinstance(value, str) and _TYPE_NAME.fullmatch(value) else None

    def _valid_field(self, name: str) -> str | None:
        if self.violations and any(violation.path == f"$.{name}" for violation in self.violations):
            return None
        value = self.event.get(name)
        return value if isinstance(value, str) else None


def _attribute(record: Mapping[str, Any], name: str) -> str:
    value = ((record.get("messageAttributes") or {}).get(name) or {}).get("stringValue")
    return value if isinstance(value, str) else ""


def _sent_at(record: Mapping[str, Any], now: datetime) -> datetime:
    millis = (record.get("attributes") or {}).get("SentTimestamp")
    return datetime.fromtimestamp(int(millis) / 1000, UTC) if millis else now
