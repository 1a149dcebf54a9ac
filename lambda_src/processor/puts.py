"""Decides what becomes of a message whose item was created, or found its key taken.

A put goes through these states, one round of writes for each:

    EVENT ──────────────► stored, redelivered, duplicate, or REJECTION (event_id conflict)
    REJECTION ──────────► rejected, redelivered, or REJECTION_OF_COPY
    REJECTION_OF_COPY ──► rejected, redelivered, or returned to the queue

A copy is rejected under the id of the message that it names as its origin. If that key holds other content,
the copy is rejected under its own message id.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import NamedTuple

import contract
from processor.alerts import Occasion, alert_types, alerts_for
from processor.items import event_item, rejected_item
from processor.messages import Message
from processor.payload_bucket import PayloadBucket
from processor.results import DUPLICATES, REDELIVERED, REJECTED, STORED, ItemKey, MessageResult
from processor.settings import Settings
from processor.store import Put
from storage import attributes
from storage.attributes import EVENT_ID_CONFLICT, INVALID_EVENT
from storage.payload import decode_payload
from storage.sizes import Item
from storage.timestamps import iso_millis


class State(Enum):
    """Which item a put creates."""

    EVENT = auto()
    REJECTION = auto()
    REJECTION_OF_COPY = auto()


class PendingPut(NamedTuple):
    """A put for a message. ``key`` is the key that it claims, ``kind`` of rejection is None for an event."""

    state: State
    result: MessageResult
    put: Put
    key: ItemKey
    kind: str | None
    occasion: Occasion


class ExistingItem(NamedTuple):
    """The item that has a key: one found in the table, or one that this batch has just created."""

    origin_id: str
    content_hash: str
    alert_pending: bool
    written_at: str
    body: Callable[[], str]

    @classmethod
    def created_for(cls, message: Message) -> ExistingItem:
        """Return the item that this batch has created for a message."""
        written_at = iso_millis(message.processed_at)
        return cls(message.origin_id, message.content_hash, False, written_at, lambda: message.body)

    @classmethod
    def found(cls, item: Item, bucket: PayloadBucket) -> ExistingItem | None:
        """Read an item of the events or rejected table; None if the processor did not write it."""
        content_hash = attributes.text(item, attributes.CONTENT_HASH)
        if content_hash is None:
            return None
        return cls(
            origin_id=attributes.text(item, attributes.MESSAGE_ID) or "",
            content_hash=content_hash,
            alert_pending=attributes.ALERT_PENDING in item,
            written_at=attributes.text(item, "processed_at") or attributes.text(item, "rejected_at") or "",
            body=lambda: decode_payload(item, bucket.get).decode("utf-8", "surrogatepass"),
        )


class PutResolver:
    """Makes the puts of a batch, and moves each to its next state or its message to an outcome."""

    def __init__(self, settings: Settings, now: datetime) -> None:
        self._settings = settings
        # An older pending flag belongs to an invocation that has ended (its timeout has passed).
        self._abandoned_before = iso_millis(now - timedelta(seconds=settings.function_timeout))

    def first_put(self, result: MessageResult) -> PendingPut:
        """Return the put of a message: its event, or its rejection if it is invalid."""
        message = result.message
        occasion = self._occasion(message, message.violations)
        if not message.valid:
            return self._rejection(State.REJECTION, result, INVALID_EVENT, occasion, message.origin_id)
        threshold = self._settings.large_order_threshold
        result.large_order = contract.is_large_order(message.event, threshold)
        pending_alerts = alert_types(None, occasion)
        item = event_item(message, large_order=result.large_order, pending_alerts=pending_alerts)
        put = Put(self._settings.events_table, attributes.EVENT_ID, item)
        key = ItemKey(put.table, put.key, message.event["event_id"])
        return PendingPut(State.EVENT, result, put, key, None, occasion)

    def created(self, pending: PendingPut) -> None:
        """Record that the put created its item."""
        result = pending.result
        result.outcome = STORED if pending.kind is None else REJECTED
        result.in_events = pending.kind is None
        result.bytes_stored = len(result.message.payload.data)
        self._queue_alerts(pending)

    def resolve(self, pending: PendingPut, existing: ExistingItem) -> PendingPut | None:
        """Compare a put with the item that has its key. Returns the put that follows, if one does.

        Raises what reading the existing item's body raises.
        """
        resolve = self._resolve_event if pending.state is State.EVENT else self._resolve_rejection
        return resolve(pending, existing)

    def _resolve_event(self, pending: PendingPut, existing: ExistingItem) -> PendingPut | None:
        result, message = pending.result, pending.result.message
        same_content = existing.content_hash == message.content_hash
        if same_content and existing.origin_id == message.origin_id:
            result.in_events = True
            self._redelivered(pending, existing)
        elif same_content or contract.same_json(existing.body(), message.body):
            result.outcome, result.in_events, result.copy_of = DUPLICATES, True, existing.content_hash
            if existing.alert_pending and self._is_abandoned(existing):
                self._queue_alerts(pending)
        else:
            reasons = contract.Violations()
            stored_by = f"is stored already with other content, which came in message {existing.origin_id}"
            reasons.add(((), "event_id"), EVENT_ID_CONFLICT, stored_by)
            occasion = self._occasion(message, reasons)
            return self._rejection(State.REJECTION, result, EVENT_ID_CONFLICT, occasion, message.origin_id)
        return None

    def _resolve_rejection(self, pending: PendingPut, existing: ExistingItem) -> PendingPut | None:
        result, message = pending.result, pending.result.message
        if existing.content_hash == message.content_hash:
            self._redelivered(pending, existing)
        elif pending.state is State.REJECTION and message.is_copy:
            kind = pending.kind or INVALID_EVENT
            return self._rejection(
                State.REJECTION_OF_COPY, result, kind, pending.occasion, message.message_id
            )
        else:
            result.return_to_queue("its key in the rejected table is taken by another item")
        return None

    def _redelivered(self, pending: PendingPut, existing: ExistingItem) -> None:
        """Complete what an earlier delivery of the same message left undone."""
        pending.result.outcome = REDELIVERED
        if not existing.alert_pending:
            return
        if self._is_abandoned(existing):
            self._queue_alerts(pending)
        else:
            # If this delivery is deleted and the other one fails, nothing would publish the alert.
            pending.result.return_to_queue("another delivery of it is in progress and will publish its alert")

    def _is_abandoned(self, existing: ExistingItem) -> bool:
        """Whether the invocation that wrote the item has ended without publishing its alert."""
        return existing.written_at < self._abandoned_before

    def _queue_alerts(self, pending: PendingPut) -> None:
        pending.result.alerts = alerts_for(pending.kind, pending.occasion)
        if pending.result.alerts:
            pending.result.pending = pending.key

    def _occasion(self, message: Message, reasons: contract.Violations) -> Occasion:
        return Occasion(message, reasons, self._settings.large_order_threshold)

    def _rejection(
        self, state: State, result: MessageResult, kind: str, occasion: Occasion, message_id: str
    ) -> PendingPut:
        retention_days = self._settings.rejected_retention_days
        item = rejected_item(result.message, kind, occasion.reasons, retention_days)
        item[attributes.MESSAGE_ID] = {"S": message_id}
        put = Put(self._settings.rejected_table, attributes.MESSAGE_ID, item)
        return PendingPut(state, result, put, ItemKey(put.table, put.key, message_id), kind, occasion)
