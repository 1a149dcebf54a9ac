"""A queue, a clock and a rates of faults around the function: everything SQS, Lambda and AWS may do to it.

One thread and one random generator: a seed names a run, and a run that fails does so again. Concurrency is
played by running another invocation in the middle of a call. Times are in seconds on a clock of its own.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any

import contract
from aws_http.errors import NO_ANSWER, AwsError
from common.deadline import CallLimits
from storage.payload import decode_payload
from tests.fakes import FakeDynamoDB, FakeS3, FakeSNS, aws_error, canceled
from tests.unit.processor.conftest import record

TIMEOUT = 30.0
LIMITS = CallLimits.of(TIMEOUT)
VISIBILITY = 6 * TIMEOUT
MAX_RECEIVES = 3
NOON = datetime(2026, 11, 22, 14, 4, tzinfo=UTC)

REFUSALS = {
    "dynamodb": [
        ("ThrottlingException", 400),
        ("ProvisionedThroughputExceededException", 400),
        ("RequestLimitExceeded", 400),
        ("InternalServerError", 500),
        ("ServiceUnavailable", 503),
        ("TransactionInProgressException", 400),
    ],
    "sns": [("Throttling", 400), ("InternalError", 500), ("ServiceUnavailable", 503)],
    "s3": [("SlowDown", 503), ("InternalError", 500), ("RequestTimeout", 400)],
}


class Died(BaseException):
    """The function's process is gone in the middle of what it did."""


@dataclass(frozen=True)
class FaultRates:
    """How probable each fault is, 0 to 1: of an attempt at a call, unless another unit is named."""

    refused: float = 0  # throttled or 5xx; nothing was done
    hung: float = 0  # no answer in time; nothing was done
    late: float = 0  # no answer in time; done some time afterwards
    lost: float = 0  # done, but the answer was lost
    cancelled: float = 0  # of a transaction: some of its actions were throttled or in conflict
    partial: float = 0  # of an entry of a batch: not processed, in an answer that says so
    killed: float = 0  # the process dies, before or after what was asked is done
    interleaved: float = 0  # another invocation runs meanwhile, before or after
    redelivered: float = 0  # of a message in flight: SQS delivers it again all the same
    # Services and operations that the faults of calls spare.
    spared: frozenset[str] = frozenset()


CALM = FaultRates()


@dataclass
class Queued:
    """A message in the queue. ``root`` is the id under which its sender knows it."""

    message_id: str
    body: str
    root: str
    origin: str | None = None
    receives: int = 0
    visible_at: float = 0

    def record(self) -> dict[str, Any]:
        """As the event source mapping sends it."""
        sent_at = {"SentTimestamp": str(int(NOON.timestamp() * 1000))}
        return record(self.body, self.message_id, self.origin) | {"attributes": sent_at}


@dataclass
class Simulation:
    """The function's harness. `handle` is the function's entry point, wired to `service` and `now`."""

    seed: int
    rates: FaultRates
    handle: Callable[[dict[str, Any], Any], dict[str, Any]] = lambda event, context: {}
    dynamodb: FakeDynamoDB = field(default_factory=FakeDynamoDB)
    sns: FakeSNS = field(default_factory=FakeSNS)
    s3: FakeS3 = field(default_factory=FakeS3)
    clock: float = 0
    queue: list[Queued] = field(default_factory=list)
    dead_letters: list[Queued] = field(default_factory=list)
    bodies: dict[str, str] = field(default_factory=dict)
    roots: dict[str, str] = field(default_factory=dict)
    renamed: set[str] = field(default_factory=set)
    happened: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)
        self._late: list[Callable[[], Any]] = []
        self._started: list[float] = []
        self._ids = (f"m{n}" for n in range(10**9))
        self.dynamodb.item_fault = lambda item: "ThrottlingError" if self._partial("dynamodb") else None
        self.sns.entry_fault = lambda alert: self._partial("sns")

    # --- time, and the calls that the function makes -------------------------------------------------

    def now(self) -> datetime:
        """The time of day."""
        return NOON + timedelta(seconds=self.clock)

    def sleep(self, seconds: float) -> None:
        """Let time pass; kills the function when it is out of it."""
        self.clock += seconds
        if self._started and self.clock - self._started[-1] > TIMEOUT:
            self.happened["timed out"] += 1
            raise Died

    def service(self, name: str) -> Any:
        """A service, as the function uses it: every call is tried twice."""
        inner = getattr(self, name)

        def call(operation: str, request: dict[str, Any]) -> Any:
            return self._call(name, operation, lambda: inner.call(operation, request), request)

        def method(operation: str) -> Callable[..., Any]:
            return lambda *given: self._call(name, operation, lambda: getattr(inner, operation)(*given), {})

        if name == "dynamodb":
            return SimpleNamespace(call=call)
        operations = {"sns": ["publish_batch"], "s3": ["put", "get"]}[name]
        return SimpleNamespace(**{operation: method(operation) for operation in operations})

    def _call(self, service: str, operation: str, do: Callable[[], Any], request: dict[str, Any]) -> Any:
        error: Exception = AssertionError("never tried")
        rates = CALM if {service, operation} & self.rates.spared else self.rates
        for attempt in range(LIMITS.attempts):
            if attempt:
                self.sleep(self.rng.random())  # as long as aws_http.service waits
            self.sleep(0.005)
            self._arrive_late(0.3)
            self._meanwhile()
            fate = self._fate(rates)
            self.happened[fate] += 1
            if fate == "refused":
                error = aws_error(*self.rng.choice(REFUSALS[service]))
            elif fate in ("hung", "late"):
                if fate == "late":
                    self._late.append(do)
                self.sleep(LIMITS.timeout)
                error = AwsError(NO_ANSWER, f"{service} hangs")
            else:
                if operation == "TransactWriteItems":
                    self._perhaps_cancel(request, rates)
                try:
                    answer = do()
                except AwsError as refusal:
                    refusal.retries = attempt
                    raise
                self._perhaps_die()
                self._meanwhile()
                if fate != "lost":
                    return answer
                error = AwsError(NO_ANSWER, f"{service} hung up")
        raise error

    def _fate(self, rates: FaultRates) -> str:
        self._perhaps_die()
        point = self.rng.random()
        for fate in ("refused", "hung", "late", "lost"):
            point -= getattr(rates, fate)
            if point < 0:
                return fate
        return "answered"

    def _perhaps_cancel(self, request: dict[str, Any], rates: FaultRates) -> None:
        if self._chance(rates.cancelled):
            codes = ["None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]
            reasons = [{"Code": self.rng.choice(codes)} for _ in request["TransactItems"]]
            if any(reason["Code"] != "None" for reason in reasons):
                self.happened["cancelled"] += 1
                raise canceled(reasons)

    def _partial(self, service: str) -> bool:
        hit = service not in self.rates.spared and self._chance(self.rates.partial)
        self.happened["partial"] += hit
        return hit

    def _perhaps_die(self) -> None:
        if self._started and self._chance(self.rates.killed):
            self.happened["killed"] += 1
            raise Died

    def _meanwhile(self) -> None:
        if len(self._started) == 1 and self._chance(self.rates.interleaved):
            self.happened["interleaved"] += 1
            began = self.clock
            self.deliver()
            # It ran beside this one, not before it.
            self.clock = began + 0.001

    def _arrive_late(self, probability: float) -> None:
        while self._late and self._chance(probability):
            do = self._late.pop(self.rng.randrange(len(self._late)))
            with suppress(AwsError):  # a condition that no longer holds
                do()

    def _chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    # --- the queue -----------------------------------------------------------------------------------

    def send(self, body: str, *, origin: str | None = None) -> str:
        """Send a message; returns its id. A replay names its ``origin``."""
        message_id = next(self._ids)
        root = self.roots[message_id] = self.roots[origin] if origin else message_id
        self.bodies.setdefault(root, body)
        self.queue.append(Queued(message_id, body, root, origin))
        return message_id

    def deliver(self) -> bool:
        """Run one invocation with what is visible; False if that is nothing."""
        batch = self._receive()
        if not batch:
            return False
        receives = {message.message_id: message.receives for message in batch}
        began = self.clock
        self._started.append(began)
        context = SimpleNamespace(
            aws_request_id="request",
            get_remaining_time_in_millis=lambda: int((began + TIMEOUT - self.clock) * 1000),
        )
        try:
            answer = self.handle({"Records": [message.record() for message in batch]}, context)
        except Died:
            return True
        finally:
            self._started.pop()
        returned = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
        assert len(set(returned)) == len(returned), f"repeated in the answer: {returned}"
        assert set(returned) <= set(receives), "the answer names a message that was not in the batch"
        self.happened["returned"] += len(returned)
        for message in batch:
            # A receipt that is not the newest may no longer delete (SQS API reference, DeleteMessage).
            valid = message.receives == receives[message.message_id] or self._chance(0.5)
            if message.message_id not in returned and valid and message in self.queue:
                self.queue.remove(message)
        return True

    def _receive(self) -> list[Queued]:
        def deliverable(message: Queued) -> bool:
            again = message.receives > 0 and self._chance(self.rates.redelivered)
            self.happened["redelivered"] += again and message.visible_at > self.clock
            return message.visible_at <= self.clock or again

        found = [message for message in self.queue if deliverable(message)]
        for message in [message for message in found if message.receives >= MAX_RECEIVES]:
            found.remove(message)
            self.queue.remove(message)
            self.dead_letters.append(message)
        batch = self.rng.sample(found, min(len(found), self.rng.randint(1, 10)))
        if batch and self._chance(self.rates.redelivered):
            batch.append(self.rng.choice(batch))
        for message in batch:
            message.receives += 1
            message.visible_at = self.clock + VISIBILITY
        return batch

    def redrive(self, *, by_task: bool) -> None:
        """Move the dead letters back: by SQS's task, under new ids; or by copy, which names its origin.

        Nobody does so before the invocation that they come from is over.
        """
        if self.dead_letters:
            self.clock += TIMEOUT
        for message in self.dead_letters:
            message_id = next(self._ids)
            self.roots[message_id] = message.root
            origin = message.origin if by_task else message.origin or message.message_id
            if by_task and not origin:
                self.renamed.add(message.root)
            self.queue.append(Queued(message_id, message.body, message.root, origin))
        self.dead_letters.clear()

    def pass_time(self) -> None:
        """Go on to when the next message becomes visible."""
        self.clock = max(self.clock, min((message.visible_at for message in self.queue), default=0))

    def blow_over(self) -> None:
        """End the faults and let everything settle."""
        self.rates = CALM
        self._arrive_late(1)
        for _ in range(1000):
            if not self.queue and not self.dead_letters:
                return
            if not self.deliver():
                self.pass_time()
            if not self.queue:
                self.redrive(by_task=False)
        raise AssertionError(f"in fair rates this does not settle: {self.queue}")

    # --- what must hold ------------------------------------------------------------------------------

    def places(self) -> dict[str, list[str]]:
        """Where each message is, by its root id."""
        found: dict[str, list[str]] = defaultdict(list)
        for table, items in self.dynamodb.tables.items():
            for item in items.values():
                found[self.roots[item["message_id"]["S"]]].append(table)
        return found

    def check_conservation(self) -> None:
        """Every message is stored, counted as a duplicate or rejected: once, whole, and for good reason."""
        places = self.places()
        assert set(places) == set(self.bodies), "something is lost, or came from nowhere"
        for root, tables in places.items():
            assert len(tables) == 1 or root in self.renamed, f"{root} is in {tables}"
        events, rejected, duplicates = (self.dynamodb.tables[t] for t in ("events", "rejected", "duplicates"))
        for event_id, item in events.items():
            body = self._body(item)
            assert body == self.bodies[self.roots[item["message_id"]["S"]]]
            assert json.loads(body)["event_id"] == event_id
        for item in rejected.values():
            body = self._body(item)
            assert body == self.bodies[self.roots[item["message_id"]["S"]]]
            event, violations = contract.read(body, self.now())
            if item["kind"]["S"] == "event_id_conflict":
                assert not contract.same_json(body, self._body(events[event["event_id"]]))
            else:
                assert violations, f"{item['message_id']} is rejected without a reason"
        for message_id, item in duplicates.items():
            body = self.bodies[self.roots[message_id]]
            assert contract.same_json(body, self._body(events[item["event_id"]["S"]]))

    def alerts(self) -> Iterator[tuple[str, int]]:
        """How often each event that deserves an alert was alerted, by a name for it."""
        published = Counter(
            (alert["alert_type"], alert["event_id"] if alert["alert_type"] == "large_order" else root)
            for alert in self.sns.published
            if (root := self.roots[alert["message_id"]])
        )
        for event_id, item in self.dynamodb.tables["events"].items():
            if item.get("large_order", {}).get("BOOL"):
                yield event_id, published.pop(("large_order", event_id), 0)
        rejected = self.dynamodb.tables["rejected"].values()
        for kind, root in {(item["kind"]["S"], self.roots[item["message_id"]["S"]]) for item in rejected}:
            yield root, published.pop((kind, root), 0)
        assert not published, f"alerts that nothing deserves: {published}"

    def _body(self, item: dict[str, Any]) -> str:
        return decode_payload(item, self.s3.objects.__getitem__).decode("utf-8", "surrogatepass")
