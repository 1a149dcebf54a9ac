"""Check the accounting invariant: each message sent has exactly one outcome.

For each content (by its hash): sent = stored + duplicates + rejected + dead-lettered + queued.
A LocalStack that rewrites bodies changes the hashes. There, messages are found by message id or event_id.
This module only compares what was sent with a snapshot. It does no I/O.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from producer.generate.messages import ANY
from producer.manifest import SentMessage
from tools.ops.verify.snapshot import Rejected, Snapshot, Stored

STORED = "stored"
DUPLICATE = "duplicate"
REJECTED = "rejected"
DEAD_LETTERED = "dead-lettered"
QUEUED = "queued"
LOST = "lost"
OUTCOMES = (STORED, DUPLICATE, REJECTED, DEAD_LETTERED, QUEUED)

DOUBLED = "doubled"
UNEXPECTED = "unexpected"


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """A violation of the invariant or of an expected outcome. ``name`` is an event_id or a message id."""

    kind: str
    name: str
    what: str


@dataclass
class Reconciliation:
    """The outcomes of a run's messages.

    ``outcomes`` counts the messages sent by outcome. ``recounted`` counts rows without a sent message: SQS's
    move task changes message ids, so an event that was stored before it was dead-lettered becomes its own
    duplicate. ``unfinished`` messages have an outcome and also wait in a queue, because their alert is not
    published. ``replayed`` messages were expected to be rejected and are stored.
    """

    sent: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    recounted: int = 0
    unfinished: int = 0
    replayed: int = 0
    discrepancies: list[Discrepancy] = field(default_factory=list)
    stored: list[Stored] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    def __add__(self, other: "Reconciliation") -> "Reconciliation":
        """Return the counts of two parts of a run. Their rows and discrepancies are left out."""
        return Reconciliation(
            self.sent + other.sent,
            self.outcomes + other.outcomes,
            self.recounted + other.recounted,
            self.unfinished + other.unfinished,
            self.replayed + other.replayed,
        )

    @property
    def lost(self) -> int:
        """Return the number of messages without an outcome."""
        return self.outcomes[LOST]

    @property
    def is_final(self) -> bool:
        """Return whether no message is lost, queued or unfinished."""
        return not self.lost and not self.outcomes[QUEUED] and not self.unfinished

    @property
    def accounted(self) -> int:
        """Return the number of messages with an outcome."""
        return sum(self.outcomes[outcome] for outcome in OUTCOMES)


@dataclass(slots=True)
class _Matches:
    """The rows and queued messages of one content: message ids and outcomes."""

    rows: list[tuple[str, str]] = field(default_factory=list)
    queued: list[tuple[str, str]] = field(default_factory=list)
    stored: Stored | None = None


def reconcile(sent: Iterable[SentMessage], snapshot: Snapshot) -> Reconciliation:
    """Find every message of a run in a snapshot. Other content of the pipeline is ignored."""
    sent = list(sent)
    if not snapshot.bodies_kept:
        snapshot = _with_sent_hashes(sent, snapshot)
    by_content: dict[str, list[SentMessage]] = defaultdict(list)
    for message in sent:
        by_content[message.content_hash].append(message)
    matches = _matches(snapshot, set(by_content))
    result = Reconciliation(sent=len(sent))
    for content_hash, messages in by_content.items():
        _reconcile_content(messages, matches.get(content_hash) or _Matches(), result)
    result.stored = [item for item in snapshot.stored if item.content_hash in by_content]
    result.rejected = [item for item in snapshot.rejected if item.content_hash in by_content]
    return result


def _with_sent_hashes(sent: list[SentMessage], snapshot: Snapshot) -> Snapshot:
    """Return the snapshot with the content hashes that were sent, found by message id or event_id."""
    by_message = {message.message_id: message.content_hash for message in sent}
    # Several contents may have one event_id. The one that is expected to be stored comes first.
    by_event: dict[str, str] = {}
    for message in sorted(sent, key=lambda message: message.expect == REJECTED):
        if message.event_id is not None:
            by_event.setdefault(message.event_id, message.content_hash)

    def with_sent_hash(row: Any) -> Any:
        by_id = by_event.get(getattr(row, "event_id", None) or "", row.content_hash)
        return replace(row, content_hash=by_message.get(row.message_id, by_id))

    names = ("stored", "duplicates", "rejected", "dead_lettered", "queued")
    changes: dict[str, Any] = {
        name: [with_sent_hash(row) for row in getattr(snapshot, name)] for name in names
    }
    return replace(snapshot, **changes)


def _matches(snapshot: Snapshot, content_hashes: set[str]) -> dict[str, _Matches]:
    matches: dict[str, _Matches] = defaultdict(_Matches)
    tables = ((STORED, snapshot.stored), (DUPLICATE, snapshot.duplicates), (REJECTED, snapshot.rejected))
    for outcome, rows in tables:
        for row in rows:
            if row.content_hash in content_hashes:
                matches[row.content_hash].rows.append((row.message_id, outcome))
    for item in snapshot.stored:
        if item.content_hash in content_hashes:
            matches[item.content_hash].stored = item
    for outcome, messages in ((DEAD_LETTERED, snapshot.dead_lettered), (QUEUED, snapshot.queued)):
        for message in messages:
            if message.content_hash in content_hashes:
                matches[message.content_hash].queued.append((message.message_id, outcome))
    return matches


def _reconcile_content(messages: list[SentMessage], matches: _Matches, result: Reconciliation) -> None:
    """Assign an outcome to each message of one content, and record the discrepancies."""
    if len(messages) == 1 and _is_as_expected(messages[0], matches):
        result.outcomes[messages[0].expect] += 1
        return
    name = messages[0].event_id or messages[0].message_id
    rows: dict[str, list[str]] = defaultdict(list)
    for message_id, outcome in matches.rows:
        rows[message_id].append(outcome)
    queued = dict(matches.queued)

    outcomes: Counter[str] = Counter()
    missing: list[SentMessage] = []
    for message in messages:
        own_rows = rows.pop(message.message_id, [])
        queue = queued.pop(message.message_id, None)
        if len(own_rows) > 1 and queue is None:
            what = f"message {message.message_id} is {' and '.join(own_rows)}"
            result.discrepancies.append(Discrepancy(DOUBLED, name, what))
        if own_rows:
            outcomes[own_rows[0]] += 1
            result.unfinished += queue is not None
        elif queue is not None:
            outcomes[queue] += 1
        else:
            missing.append(message)

    # The remaining rows have message ids that the producer does not know, because a redrive or a repeated
    # send changed them. They are matched with the missing messages; any others were counted twice.
    unknown = [outcome for own_rows in rows.values() for outcome in own_rows] + list(queued.values())
    unknown.sort(key=OUTCOMES.index)
    renamed = min(len(missing), len(unknown))
    outcomes.update(unknown[:renamed])
    result.recounted += len(unknown) - renamed
    for message in missing[renamed:]:
        outcomes[LOST] += 1
        result.discrepancies.append(Discrepancy(LOST, name, f"message {message.message_id} was not found"))
    result.outcomes += outcomes
    # The event may have been sent before: by a producer that was killed, or by an earlier run.
    stored_before = unknown[renamed:].count(STORED)
    _check_expectations(messages, outcomes, stored_before, matches.stored, name, result)


def _is_as_expected(message: SentMessage, matches: _Matches) -> bool:
    """Return whether the only row of a content is the message's. Nearly all are, and need no more."""
    large = matches.stored.large_order if matches.stored else message.large_order
    return (
        matches.rows == [(message.message_id, message.expect)]
        and not matches.queued
        and large == message.large_order
    )


def _check_expectations(
    messages: list[SentMessage],
    outcomes: Counter[str],
    stored_before: int,
    stored: Stored | None,
    name: str,
    result: Reconciliation,
) -> None:
    expected = Counter(message.expect for message in messages)
    surplus = {outcome: outcomes[outcome] - expected[outcome] for outcome in (STORED, DUPLICATE, REJECTED)}
    surplus[DUPLICATE] -= stored_before
    too_many = [outcome for outcome, count in surplus.items() if count > 0]
    if expected[ANY]:
        # The user's own valid events: their event_ids may be stored already, with this content or another.
        too_many = []
    if too_many and expected[REJECTED] and stored is not None and stored.replayed:
        result.replayed += sum(surplus[outcome] for outcome in too_many)
    elif too_many:
        what = f"expected {_counts(expected)}, but is {_counts(outcomes)}"
        result.discrepancies.append(Discrepancy(UNEXPECTED, name, what))
    elif stored is not None and any(message.large_order for message in messages) != stored.large_order:
        is_large = "is" if stored.large_order else "is not"
        what = f"{is_large} stored as a large order; do the thresholds of function and producer differ?"
        result.discrepancies.append(Discrepancy(UNEXPECTED, name, what))


def _counts(outcomes: Counter[str]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items() if count)
