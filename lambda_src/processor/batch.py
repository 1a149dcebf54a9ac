"""One invocation: from the messages of a batch to what became of each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import contract
from contract.payload import unpack
from processor import alerts, telemetry
from processor.alerts import CONFLICT, INVALID, Alert, Publisher
from processor.bucket import Bucket, Unavailable
from processor.deadline import Deadline
from processor.items import Item, duplicate_item, event_item, may_need_bucket, rejected_item, with_payload
from processor.messages import Message, iso
from processor.report import report
from processor.settings import Settings
from processor.store import SHARED_ITEM_LIMIT, Created, Exists, Failed, Outcome, Put, Store
from processor.work import DUPLICATES, REDELIVERED, REJECTED, RETURNED, STORED, Work, count


@dataclass(frozen=True)
class Attempt:
    """A put on behalf of a message: an event into the events table, or a rejected one into the other."""

    work: Work
    put: Put
    kind: str | None
    reasons: contract.Violations


@dataclass(frozen=True)
class Holder:
    """Who holds a key in a table: an item found there, or one that this batch has just created."""

    identity: str
    content_hash: str
    alert_pending: bool
    kept_at: str
    body: Callable[[], str]


class Batch:
    """The messages of one invocation. `process` settles every one of them, whatever fails."""

    def __init__(
        self,
        settings: Settings,
        deadline: Deadline,
        store: Store,
        bucket: Bucket,
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
        self._request_id = request_id
        self._now = now
        self._works: list[Work] = []

    def process(self, records: list[Mapping[str, Any]]) -> list[str]:
        """Process SQS records; returns the ids of the messages that must go back to the queue.

        Raises nothing on account of a message: an invalid body is rejected, and a fault of ours or of AWS
        gives back the messages that it befell.
        """
        unread = self._read(records)
        # A bucket that hangs takes all the time there is, so what may need it comes after everything else.
        for needy in (False, True):
            if works := [work for work in self._works if may_need_bucket(work.message) == needy]:
                self._settle_all(works)
        report(self._works, unread, self._request_id, self._now)
        return unread + [work.message.message_id for work in self._works if work.outcome in (RETURNED, "")]

    def _read(self, records: list[Mapping[str, Any]]) -> list[str]:
        """Read and validate; returns the ids of the messages that could not be begun."""
        unread = []
        for record in records:
            try:
                if self._deadline.allows_call():
                    self._works.append(Work(Message.read(record, self._now)))
                    continue
            except Exception:  # noqa: BLE001 - a bug must cost only the messages it befalls
                telemetry.log_bug("bug in reading a record", message_id=record["messageId"])
            unread.append(record["messageId"])
        return unread

    def _settle_all(self, works: list[Work]) -> None:
        for step in (self._keep, self._count_duplicates, self._alert, self._forget_replayed):
            try:
                step(works)
            except Exception:  # noqa: BLE001 - a bug must cost only the messages it befalls
                telemetry.log_bug(f"bug in {step.__name__}", request_id=self._request_id)
                for work in works:
                    work.give_back("a bug in the function; see the traceback")

    # --- store ---------------------------------------------------------------------------------------

    def _keep(self, works: list[Work]) -> None:
        first = [attempt for work in works if (attempt := self._first_attempt(work)) is not None]
        # An event may turn out a conflict, and a rejection's key may turn out taken: three rounds at most.
        for attempt in self._create(self._create(self._create(first))):
            attempt.work.give_back("its key in the rejected table is taken by something else")

    def _first_attempt(self, work: Work) -> Attempt | None:
        try:
            return self._attempt(work)
        except Exception:  # noqa: BLE001 - a bug must cost only the messages it befalls
            telemetry.log_bug("bug in building an item", message_id=work.message.message_id)
            work.give_back("a bug in the function; see the traceback")
            return None

    def _attempt(self, work: Work) -> Attempt:
        message = work.message
        if not message.valid:
            return self._rejection(work, INVALID, message.violations, message.identity)
        work.large_order = contract.is_large_order(message.event, self._threshold)
        item = event_item(message, large_order=work.large_order)
        put = Put(self._settings.events_table, "event_id", item)
        return Attempt(work, put, None, message.violations)

    def _rejection(self, work: Work, kind: str, reasons: contract.Violations, message_id: str) -> Attempt:
        item = rejected_item(work.message, kind, reasons, self._settings.rejected_retention_days)
        item["message_id"] = {"S": message_id}
        return Attempt(work, Put(self._settings.rejected_table, "message_id", item), kind, reasons)

    def _create(self, attempts: list[Attempt]) -> list[Attempt]:
        """Put each key's first claimant, then settle all against who holds the key.

        Returns the attempts that follow from it: conflicts, which are to be put in the rejected table.
        """
        leaders: dict[tuple[str, str], Attempt] = {}
        for attempt in attempts:
            leaders.setdefault(_key(attempt), attempt)
        ready = {key: self._with_payload(attempt) for key, attempt in leaders.items()}
        puts = {key: put for key, put in ready.items() if put is not None}
        outcomes = dict(zip(puts, self._store.create(list(puts.values())), strict=True))

        following = []
        for attempt in attempts:
            key = _key(attempt)
            leader = leaders[key]
            outcome = outcomes.get(key, Failed(leader.work.why or "its payload could not be stored"))
            if self._is_own(outcome, leader):
                outcome = Created()
            try:
                follow = self._settle(attempt, leader, outcome)
            except Unavailable as error:
                attempt.work.give_back(str(error))
            except Exception:  # noqa: BLE001 - a bug must cost only the messages it befalls
                telemetry.log_bug("could not settle a message", message_id=attempt.work.message.message_id)
                attempt.work.give_back("a bug in the function; see the traceback")
            else:
                if follow is not None:
                    following.append(follow)
        return following

    def _is_own(self, outcome: Outcome, leader: Attempt) -> bool:
        """Whether what is in the way was put there by this very call, whose first answer was lost."""
        if not isinstance(outcome, Exists) or not outcome.retried:
            return False
        names = ("message_id", "content_hash", "processed_at", "rejected_at")
        return all(outcome.item.get(name) == leader.put.item.get(name) for name in names)

    def _with_payload(self, attempt: Attempt) -> Put | None:
        message = attempt.work.message
        item, key = with_payload(attempt.put.item, message, rejected=attempt.kind is not None)
        if key is not None:
            try:
                self._bucket.put(key, message.payload.data)
            except Unavailable as error:
                attempt.work.why = str(error)
                return None
        return Put(attempt.put.table, attempt.put.key, item)

    def _settle(self, attempt: Attempt, leader: Attempt, outcome: Outcome) -> Attempt | None:
        work = attempt.work
        if isinstance(outcome, Failed):
            work.give_back(outcome.why)
            return None
        if isinstance(outcome, Created) and attempt is leader:
            work.outcome = STORED if attempt.kind is None else REJECTED
            work.in_events = attempt.kind is None
            work.bytes_stored = len(work.message.payload.data)
            if attempt.kind is not None or work.large_order:
                self._owe_alert(attempt)
            return None
        holder = _created(leader) if isinstance(outcome, Created) else self._found(outcome)
        if holder is None:
            work.give_back("what holds its key could not be read")
            return None
        settle = self._settle_event if attempt.kind is None else self._settle_rejection
        return settle(attempt, holder)

    def _settle_event(self, attempt: Attempt, holder: Holder) -> Attempt | None:
        work, message = attempt.work, attempt.work.message
        same = holder.content_hash == message.content_hash
        if same and holder.identity == message.identity:
            work.in_events = True
            self._finish(attempt, holder)
        elif same or contract.same_json(holder.body(), message.body):
            work.outcome, work.in_events, work.copy_of = DUPLICATES, True, holder.content_hash
            if holder.alert_pending and self._abandoned(holder):
                self._owe_alert(attempt)
        else:
            reasons = contract.Violations()
            reasons.add(
                ((), "event_id"),
                CONFLICT,
                f"is stored already with other content, which came in message {holder.identity}",
            )
            return self._rejection(work, CONFLICT, reasons, message.identity)
        return None

    def _settle_rejection(self, attempt: Attempt, holder: Holder) -> Attempt | None:
        work, message = attempt.work, attempt.work.message
        if holder.content_hash == message.content_hash:
            self._finish(attempt, holder)
        elif message.replayed and attempt.put.item["message_id"]["S"] == message.identity:
            # Somebody else's message names the same origin: nothing is lost under this message's own id.
            return self._rejection(work, attempt.kind or INVALID, attempt.reasons, message.message_id)
        else:
            return attempt
        return None

    def _finish(self, attempt: Attempt, holder: Holder) -> None:
        """Do what an earlier delivery of this very message has left undone."""
        attempt.work.outcome = REDELIVERED
        if not holder.alert_pending:
            return
        if self._abandoned(holder):
            self._owe_alert(attempt)
        else:
            # Done with here, the message would be deleted, and with it the alert should the other fail.
            attempt.work.give_back("another delivery of it is under way and owes its alert")

    def _abandoned(self, holder: Holder) -> bool:
        """Whether the invocation that stored the item is over for certain, and its alert still owed.

        Until then its own message brings the alert: it is finished, or delivered again. Afterwards that
        message may lie in the dead-letter queue and come back under another message id.
        """
        return holder.kept_at < iso(self._now - timedelta(seconds=self._settings.function_timeout))

    def _found(self, outcome: Outcome) -> Holder | None:
        item: Item = outcome.item if isinstance(outcome, Exists) else {}
        if "content_hash" not in item:
            return None

        def text(name: str) -> str:
            value: str = item.get(name, {}).get("S", "")
            return value

        return Holder(
            identity=text("message_id"),
            content_hash=text("content_hash"),
            alert_pending="alert_pending" in item,
            kept_at=text("processed_at") or text("rejected_at"),
            body=lambda: unpack(item, self._bucket.get).decode("utf-8", "surrogatepass"),
        )

    # --- count, alert, forget ------------------------------------------------------------------------

    def _count_duplicates(self, works: list[Work]) -> None:
        # Within a batch the same message may come twice; one row is one message.
        copies = {work.message.identity: work for work in works if work.outcome == DUPLICATES}
        rows = [
            duplicate_item(work.message, work.copy_of or "", self._settings.duplicates_retention_days)
            for work in copies.values()
        ]
        written = dict(zip(copies, self._store.write(self._settings.duplicates_table, rows), strict=True))
        for work in works:
            if work.outcome == DUPLICATES and not written[work.message.identity]:
                work.give_back("the duplicate could not be counted")

    def _owe_alert(self, attempt: Attempt) -> None:
        work = attempt.work
        if attempt.kind is None:
            work.alert = alerts.large_order(work.message, self._threshold)
        elif attempt.kind == CONFLICT:
            work.alert = alerts.event_id_conflict(work.message, attempt.reasons)
        else:
            work.alert = alerts.invalid_event(work.message, attempt.reasons)
        work.marked = (attempt.put.table, attempt.put.key, attempt.put.item[attempt.put.key]["S"])

    @property
    def _threshold(self) -> Decimal:
        return self._settings.large_order_threshold

    def _alert(self, works: list[Work]) -> None:
        # Two deliveries of one message in one batch owe one alert.
        owed: dict[tuple[str, str, str], list[Work]] = {}
        for work in works:
            if work.alert is not None and work.marked is not None and work.outcome != RETURNED:
                owed.setdefault(work.marked, []).append(work)
        messages = [owing[0].alert for owing in owed.values()]
        summary = self._summary()
        problems = self._publisher.publish([alert for alert in (*messages, *summary) if alert is not None])
        cleared: dict[tuple[str, str, bool], list[str]] = {}
        for ((table, key, value), owing), problem in zip(owed.items(), problems, strict=False):
            if problem is None:
                large = len(owing[0].message.payload.data) > SHARED_ITEM_LIMIT
                cleared.setdefault((table, key, large), []).append(value)
            else:
                for work in owing:
                    work.give_back(f"its alert could not be published: {problem}")
        for (table, key, large), values in cleared.items():
            self._store.clear_alert(table, key, values, large=large)

    def _summary(self) -> list[Alert]:
        done = all(work.outcome for work in self._works)
        if not self._settings.batch_summary_alerts or not self._works or not done:
            return []
        message_ids = [work.message.message_id for work in self._works]
        return [alerts.batch_processed(self._request_id, message_ids, count(self._works))]

    def _forget_replayed(self, works: list[Work]) -> None:
        for work in works:
            message = work.message
            if not message.replayed:
                continue
            if (
                work.in_events
                and work.outcome != RETURNED
                and not self._store.delete_rejected(
                    self._settings.rejected_table, message.identity, message.content_hash
                )
            ):
                work.give_back("the rejected event that it replays could not be deleted")


def _key(attempt: Attempt) -> tuple[str, str]:
    return attempt.put.table, attempt.put.item[attempt.put.key]["S"]


def _created(leader: Attempt) -> Holder:
    message = leader.work.message
    processed_at = iso(message.processed_at)
    return Holder(message.identity, message.content_hash, False, processed_at, lambda: message.body)
