"""The conservation law: every copy sent is stored, a duplicate, rejected, dead-lettered or still queued.

For each content (by its hash): copies sent = stored + duplicates + rejected + dead-lettered + queued.
A LocalStack that rewrites bodies changes the hashes: there a copy is found by its message id or event_id.
Everything here is arithmetic over what was sent and what was found; nothing is read or printed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from tools.ops.verify.manifest import Sent
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
    """Something that breaks the law, or an expectation. ``name`` is the event_id, or the message id."""

    kind: str
    name: str
    what: str


@dataclass
class Reconciliation:
    """What became of each copy of a run.

    ``copies`` counts the copies sent by where they are. ``recounted`` copies were counted although nobody
    sent them: SQS's redrive task gives a message a new id, so one that had been stored before it was
    dead-lettered counts as a duplicate of itself. ``unfinished`` copies are stored, counted or rejected and
    also wait in a queue: what is still owed is their alert. ``replayed`` copies were expected to be rejected
    and are stored.
    """

    sent: int
    copies: Counter[str] = field(default_factory=Counter)
    recounted: int = 0
    unfinished: int = 0
    replayed: int = 0
    findings: list[Discrepancy] = field(default_factory=list)
    stored: list[Stored] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """Copies that are nowhere."""
        return self.copies[LOST]

    @property
    def settled(self) -> bool:
        """Whether every copy has come to its end: none is lost, queued or still to be finished."""
        return not self.lost and not self.copies[QUEUED] and not self.unfinished

    @property
    def accounted(self) -> int:
        """Copies that are somewhere."""
        return sum(self.copies[place] for place in OUTCOMES)


@dataclass(slots=True)
class _Found:
    """Everything that was found of one content: which message, and where."""

    settled: list[tuple[str, str]] = field(default_factory=list)
    waiting: list[tuple[str, str]] = field(default_factory=list)
    stored: Stored | None = None


def reconcile(sent: Iterable[Sent], evidence: Snapshot) -> Reconciliation:
    """Find every copy of a run in the evidence, whatever else the pipeline holds."""
    sent = list(sent)
    if not evidence.bodies_kept:
        evidence = _with_hashes_sent(sent, evidence)
    by_content: dict[str, list[Sent]] = defaultdict(list)
    for copy in sent:
        by_content[copy.content_hash].append(copy)
    found = _index(evidence, set(by_content))
    account = Reconciliation(sent=sum(len(copies) for copies in by_content.values()))
    for content, copies in by_content.items():
        _settle_content(copies, found.get(content) or _Found(), account)
    account.stored = [item for item in evidence.stored if item.content_hash in by_content]
    account.rejected = [item for item in evidence.rejected if item.content_hash in by_content]
    return account


def _with_hashes_sent(sent: list[Sent], evidence: Snapshot) -> Snapshot:
    """Return the evidence with the content hashes that the producer sent, found by message id or event_id."""
    by_message = {copy.message_id: copy.content_hash for copy in sent}
    # Of several contents under one event_id, the one that is to be stored is named first.
    by_event: dict[str, str] = {}
    for copy in sorted(sent, key=lambda copy: copy.expect == REJECTED):
        if copy.event_id is not None:
            by_event.setdefault(copy.event_id, copy.content_hash)

    def known(row: Any) -> Any:
        by_id = by_event.get(getattr(row, "event_id", None) or "", row.content_hash)
        return replace(row, content_hash=by_message.get(row.message_id, by_id))

    places = ("stored", "duplicates", "rejected", "dead_lettered", "queued")
    renamed: dict[str, Any] = {place: [known(row) for row in getattr(evidence, place)] for place in places}
    return replace(evidence, **renamed)


def _index(evidence: Snapshot, wanted: set[str]) -> dict[str, _Found]:
    found: dict[str, _Found] = defaultdict(_Found)
    settled = ((STORED, evidence.stored), (DUPLICATE, evidence.duplicates), (REJECTED, evidence.rejected))
    for place, rows in settled:
        for row in rows:
            if row.content_hash in wanted:
                found[row.content_hash].settled.append((row.message_id, place))
    for item in evidence.stored:
        if item.content_hash in wanted:
            found[item.content_hash].stored = item
    for place, messages in ((DEAD_LETTERED, evidence.dead_lettered), (QUEUED, evidence.queued)):
        for message in messages:
            if message.content_hash in wanted:
                found[message.content_hash].waiting.append((message.message_id, place))
    return found


def _settle_content(copies: list[Sent], found: _Found, account: Reconciliation) -> None:
    """Give each copy of one content its place, and record what does not add up."""
    name = copies[0].event_id or copies[0].message_id
    settled: dict[str, list[str]] = defaultdict(list)
    waiting: dict[str, str] = {}
    for message_id, place in found.settled:
        settled[message_id].append(place)
    for message_id, place in found.waiting:
        waiting[message_id] = place

    placed: Counter[str] = Counter()
    missing: list[Sent] = []
    for copy in copies:
        places = settled.pop(copy.message_id, [])
        queue = waiting.pop(copy.message_id, None)
        if len(places) > 1 and queue is None:
            what = f"message {copy.message_id} is {' and '.join(places)}"
            account.findings.append(Discrepancy(DOUBLED, name, what))
        if places:
            placed[places[0]] += 1
            account.unfinished += queue is not None
        elif queue is not None:
            placed[queue] += 1
        else:
            missing.append(copy)

    # What is left bears message ids that the producer does not know: a redrive or a lost answer to a send
    # renamed them. They stand for the copies not found yet; more than those were counted once too often.
    strangers = [place for places in settled.values() for place in places] + list(waiting.values())
    strangers.sort(key=OUTCOMES.index)
    renamed = min(len(missing), len(strangers))
    placed.update(strangers[:renamed])
    account.recounted += len(strangers) - renamed
    for copy in missing[renamed:]:
        placed[LOST] += 1
        account.findings.append(Discrepancy(LOST, name, f"message {copy.message_id} is nowhere"))
    account.copies += placed
    _compare(copies, placed, found.stored, name, account)


def _compare(
    copies: list[Sent], placed: Counter[str], stored: Stored | None, name: str, account: Reconciliation
) -> None:
    expected = Counter(copy.expect for copy in copies)
    surplus = {place: placed[place] - expected[place] for place in (STORED, DUPLICATE, REJECTED)}
    too_many = [place for place, count in surplus.items() if count > 0]
    if too_many and expected[REJECTED] and stored is not None and stored.replayed:
        account.replayed += sum(surplus[place] for place in too_many)
    elif too_many:
        account.findings.append(
            Discrepancy(UNEXPECTED, name, f"was to be {_described(expected)}, but is {_described(placed)}")
        )
    elif stored is not None and any(copy.large_order for copy in copies) != stored.large_order:
        is_large = "is" if stored.large_order else "is not"
        what = (
            f"{is_large} stored as a large order; does the function's threshold differ from the producer's?"
        )
        account.findings.append(Discrepancy(UNEXPECTED, name, what))


def _described(places: Counter[str]) -> str:
    return ", ".join(f"{count} {place}" for place, count in places.items() if count)
