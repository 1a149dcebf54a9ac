"""One invocation: the messages of a batch, step by step, to an outcome for each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from common import telemetry
from common.deadline import Deadline
from processor import alerts
from processor.alerts import Alert, Publisher
from processor.items import duplicate_item
from processor.messages import Message
from processor.payload_bucket import PayloadBucket, Unavailable
from processor.puts import ExistingItem, PendingPut, PutResolver
from processor.report import report
from processor.results import DUPLICATES, RETURNED, ItemKey, MessageResult, count_outcomes
from processor.settings import Settings
from processor.store import SHARED_ITEM_LIMIT, Created, Exists, Failed, Outcome, Put, Store
from storage.payload import add_payload

_BUG = "a bug in the function; see the traceback"
# What tells the item of this very put from another delivery's.
_OWN = ("message_id", "content_hash", "processed_at", "rejected_at")


class Batch:
    """The messages of one invocation."""

    def __init__(
        self,
        settings: Settings,
        deadline: Deadline,
        store: Store,
        bucket: PayloadBucket,
        publisher: Publisher,
        *,
        request_id: str,
        now: datetime,
    ) -> None:
        self._settings = settings
        self._deadline = deadline
        self._store = store
        self._bucket = bucket
        self._publisher = publisher
        self._resolver = PutResolver(settings, now)
        self._request_id = request_id
        self._now = now
        self._results: list[MessageResult] = []

    def process(self, records: list[Mapping[str, Any]]) -> list[str]:
        """Process SQS records. Returns the ids of the messages that return to the queue.

        A message raises nothing: an invalid body is rejected, and an error of ours or of AWS returns the
        messages that it hit to the queue.
        """
        unread = self._read(records)
        # A bucket that hangs uses up the time, so messages that may need it come after all others.
        for needs_s3 in (False, True):
            group = [result for result in self._results if result.message.payload.needs_s3 == needs_s3]
            if group:
                self._process_group(group)
        report(self._results, unread, self._request_id, self._now, datetime.now(UTC))
        return unread + [
            result.message.message_id for result in self._results if result.outcome in (RETURNED, "")
        ]

    def _read(self, records: list[Mapping[str, Any]]) -> list[str]:
        """Decode, validate and encode each message. Returns the ids of those for which that failed."""
        unread = []
        for record in records:
            try:
                if self._deadline.allows_call():
                    message = Message.read(record, self._now, self._settings.origin_key)
                    self._results.append(MessageResult(message))
                    continue
            except Exception:  # noqa: BLE001 - a bug must affect only the messages that it hits
                telemetry.log_bug("bug in reading a record", message_id=record["messageId"])
            unread.append(record["messageId"])
        return unread

    def _process_group(self, results: list[MessageResult]) -> None:
        steps = (self._store_all, self._count_duplicates, self._publish_alerts, self._delete_replayed)
        for step in steps:
            try:
                step(results)
            except Exception:  # noqa: BLE001 - a bug must affect only the messages that it hits
                telemetry.log_bug(f"bug in {step.__name__}", request_id=self._request_id)
                for result in results:
                    result.return_to_queue(_BUG)

    # --- store ---------------------------------------------------------------------------------------

    def _store_all(self, results: list[MessageResult]) -> None:
        pending = [put for result in results if (put := self._first_put(result)) is not None]
        # Each put moves to a later state or ends (`processor.puts`), so the rounds are bounded.
        while pending:
            pending = self._put_round(pending)

    def _first_put(self, result: MessageResult) -> PendingPut | None:
        try:
            return self._resolver.first_put(result)
        except Exception:  # noqa: BLE001 - a bug must affect only the messages that it hits
            telemetry.log_bug("bug in building an item", message_id=result.message.message_id)
            result.return_to_queue(_BUG)
            return None

    def _put_round(self, pending: list[PendingPut]) -> list[PendingPut]:
        """Write the first put of each key, then resolve every put. Returns the puts that follow."""
        first_puts: dict[ItemKey, PendingPut] = {}
        for put in pending:
            first_puts.setdefault(put.key, put)
        outcomes = self._create(first_puts)
        following = []
        for put in pending:
            try:
                if (follow := self._resolve(put, first_puts[put.key], outcomes[put.key])) is not None:
                    following.append(follow)
            except Unavailable as error:
                put.result.return_to_queue(str(error))
            except Exception:  # noqa: BLE001 - a bug must affect only the messages that it hits
                telemetry.log_bug("could not resolve a message", message_id=put.result.message.message_id)
                put.result.return_to_queue(_BUG)
        return following

    def _create(self, first_puts: dict[ItemKey, PendingPut]) -> dict[ItemKey, Outcome]:
        """Write payloads that do not fit their items to S3, then create the items."""
        outcomes: dict[ItemKey, Outcome] = {}
        ready: dict[ItemKey, Put] = {}
        for key, pending in first_puts.items():
            try:
                ready[key] = self._with_payload(pending)
            except Unavailable as error:
                outcomes[key] = Failed(str(error))
        created = self._store.create(list(ready.values()))
        for (key, put), outcome in zip(ready.items(), created, strict=True):
            outcomes[key] = Created() if _created_by_lost_answer(put, outcome) else outcome
        return outcomes

    def _with_payload(self, pending: PendingPut) -> Put:
        message = pending.result.message
        rejected = pending.kind is not None
        item, key = add_payload(pending.put.item, message.payload, message.content_hash, rejected=rejected)
        if key is not None:
            self._bucket.put(key, message.payload.data)
        return Put(pending.put.table, pending.put.key, item)

    def _resolve(self, pending: PendingPut, first_put: PendingPut, outcome: Outcome) -> PendingPut | None:
        if isinstance(outcome, Failed):
            pending.result.return_to_queue(outcome.why)
            return None
        if isinstance(outcome, Created) and pending is first_put:
            self._resolver.created(pending)
            return None
        existing = (
            ExistingItem.created_for(first_put.result.message)
            if isinstance(outcome, Created)
            else ExistingItem.found(outcome.item, self._bucket)
        )
        if existing is None:
            pending.result.return_to_queue("the item that has its key could not be read")
            return None
        return self._resolver.resolve(pending, existing)

    # --- count duplicates, alert, delete what was replayed -----------------------------------------------

    def _count_duplicates(self, results: list[MessageResult]) -> None:
        # One message may be in a batch twice and is counted once.
        copies = {result.message.origin_id: result for result in results if result.outcome == DUPLICATES}
        rows = [
            duplicate_item(result.message, result.copy_of, self._settings.duplicates_retention_days)
            for result in copies.values()
        ]
        written = dict(zip(copies, self._store.write(self._settings.duplicates_table, rows), strict=True))
        for result in results:
            if result.outcome == DUPLICATES and not written[result.message.origin_id]:
                result.return_to_queue("the duplicate could not be counted")

    def _publish_alerts(self, results: list[MessageResult]) -> None:
        # Two deliveries of one message in one batch have one pending flag, and publish its alerts once.
        waiting: dict[ItemKey, list[MessageResult]] = {}
        for result in results:
            if result.pending is not None and result.outcome != RETURNED:
                waiting.setdefault(result.pending, []).append(result)
        queued = [(key, alert) for key, group in waiting.items() for alert in group[0].alerts]
        problems = self._publisher.publish([alert for _, alert in queued] + self._summary())
        failed: dict[ItemKey, str] = {}
        for (key, _), problem in zip(queued, problems, strict=False):
            if problem is not None:
                failed[key] = problem
        for key, why in failed.items():
            for result in waiting[key]:
                result.return_to_queue(f"its alert could not be published: {why}")
        self._clear_pending([group[0] for key, group in waiting.items() if key not in failed])

    def _clear_pending(self, published: list[MessageResult]) -> None:
        flags: dict[tuple[str, str, bool], list[str]] = {}
        for result in published:
            if result.pending is not None:
                table, name, value = result.pending
                large = len(result.message.payload.data) > SHARED_ITEM_LIMIT
                flags.setdefault((table, name, large), []).append(value)
        for (table, name, large), values in flags.items():
            self._store.clear_alert_pending(table, name, values, large=large)

    def _summary(self) -> list[Alert]:
        complete = all(result.outcome for result in self._results)
        if not self._settings.batch_summary_alerts or not self._results or not complete:
            return []
        message_ids = [result.message.message_id for result in self._results]
        return [alerts.batch_processed(self._request_id, message_ids, count_outcomes(self._results))]

    def _delete_replayed(self, results: list[MessageResult]) -> None:
        """Delete the rejected items of replayed events that are in the events table now."""
        for result in results:
            message = result.message
            if not message.is_copy or not result.in_events or result.outcome == RETURNED:
                continue
            if not self._store.delete_rejected(
                self._settings.rejected_table, message.origin_id, message.content_hash
            ):
                result.return_to_queue("the rejected event that it replays could not be deleted")


def _created_by_lost_answer(put: Put, outcome: Outcome) -> bool:
    """Whether the existing item was created by this very put, whose first answer was lost."""
    if not isinstance(outcome, Exists) or not outcome.retried:
        return False
    return all(outcome.item.get(name) == put.item.get(name) for name in _OWN)
