"""Check the pipeline's contents for consistency, without knowing what was sent."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from storage import attributes
from tools.core.tables import Item
from tools.ops import payloads
from tools.ops.payloads import PayloadError
from tools.ops.verify.reconcile import DOUBLED, DUPLICATE, REJECTED, STORED, Discrepancy
from tools.ops.verify.snapshot import Snapshot

DANGLING = "dangling"
UNREADABLE = "unreadable"
UNCONFIRMED = "alert unconfirmed"


def check(snapshot: Snapshot) -> list[Discrepancy]:
    """Find damaged items, messages in two tables, duplicates without an original, and missing payloads."""
    damaged = [Discrepancy(UNREADABLE, key, why) for key, why in snapshot.unreadable]
    return [*damaged, *_doubled(snapshot), *_dangling_duplicates(snapshot), *_missing_objects(snapshot)]


def unconfirmed_alerts(snapshot: Snapshot) -> list[Discrepancy]:
    """Find items with a pending alert for which no dead letter is left that would publish it.

    The queue is expected to be empty. The function publishes first and then clears the pending flag, once.
    A flag that remains nearly always means that the clearing was throttled, so this does not violate the
    invariant.
    """
    dead_lettered = {message.content_hash for message in snapshot.dead_lettered}
    return [
        Discrepancy(
            UNCONFIRMED,
            item.event_id or item.message_id,
            f"the alert of message {item.message_id} is still pending",
        )
        for item in snapshot.items
        if item.alert_pending and item.content_hash not in dead_lettered
    ]


@dataclass
class BodyCheck:
    """The number of bodies that were decoded and hashed, and those that differ from what was sent."""

    checked: int = 0
    discrepancies: list[Discrepancy] = field(default_factory=list)

    def __add__(self, other: "BodyCheck") -> "BodyCheck":
        """Return both results as one."""
        return BodyCheck(self.checked + other.checked, self.discrepancies + other.discrepancies)


def check_bodies(key: str, items: list[Item], fetch: Callable[[str], bytes]) -> BodyCheck:
    """Decode the bodies of items and compare their hashes with the stored content hashes."""
    found = [_check_body(attributes.text(item, key) or "?", item, fetch) for item in items]
    return BodyCheck(len(items), [each for each in found if each is not None])


def _check_body(name: str, item: Item, fetch: Callable[[str], bytes]) -> Discrepancy | None:
    try:
        body = payloads.read_body(item, fetch)
    except PayloadError as error:
        return Discrepancy(UNREADABLE, name, str(error))
    if hashlib.sha256(body).hexdigest() != attributes.text(item, attributes.CONTENT_HASH):
        return Discrepancy(
            UNREADABLE, name, "its body is not the one that was sent: the content hash differs"
        )
    return None


def _doubled(snapshot: Snapshot) -> Iterator[Discrepancy]:
    # Release 1.0.0 believed every origin, so its rows may have the message id of other content.
    outcomes: dict[tuple[str, str], list[str]] = defaultdict(list)
    names: dict[tuple[str, str], str] = {}
    queued = {message.message_id for message in (*snapshot.dead_lettered, *snapshot.queued)}
    for outcome, rows in (
        (STORED, snapshot.stored),
        (DUPLICATE, snapshot.duplicates),
        (REJECTED, snapshot.rejected),
    ):
        for row in rows:
            if row.message_id in queued:
                continue  # its redelivery will remove the older row
            outcomes[row.message_id, row.content_hash].append(outcome)
            names[row.message_id, row.content_hash] = row.event_id or row.message_id
    for message, own_outcomes in outcomes.items():
        if len(own_outcomes) > 1:
            what = f"message {message[0]} is {' and '.join(own_outcomes)}"
            yield Discrepancy(DOUBLED, names[message], what)


def _dangling_duplicates(snapshot: Snapshot) -> Iterator[Discrepancy]:
    stored = {item.event_id: item.content_hash for item in snapshot.stored}
    for duplicate in snapshot.duplicates:
        original = stored.get(duplicate.event_id)
        if original is None:
            what = f"message {duplicate.message_id} is a duplicate of an event that is not stored"
            yield Discrepancy(DANGLING, duplicate.event_id, what)
        elif original != duplicate.stored_hash:
            what = f"message {duplicate.message_id} is a duplicate of other content than is stored"
            yield Discrepancy(DANGLING, duplicate.event_id, what)


def _missing_objects(snapshot: Snapshot) -> Iterator[Discrepancy]:
    if snapshot.objects is None:
        return
    for item in snapshot.items:
        if item.payload_key is not None and item.payload_key not in snapshot.objects:
            yield Discrepancy(
                UNREADABLE, item.event_id or item.message_id, f"there is no object {item.payload_key}"
            )
