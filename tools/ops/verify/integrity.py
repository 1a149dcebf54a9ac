"""What must hold for whatever is in the pipeline now, without knowing what was sent."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from tools.core import tables
from tools.core.resources import Resources
from tools.core.tables import Item
from tools.ops import payloads
from tools.ops.payloads import BodyLost
from tools.ops.verify.reconcile import DOUBLED, DUPLICATE, REJECTED, STORED, Discrepancy
from tools.ops.verify.snapshot import Snapshot

DANGLING = "dangling"
UNREADABLE = "unreadable"
UNCONFIRMED = "alert unconfirmed"

# Rehashing every body costs its download: this much takes some seconds. Above, only --deep does it.
DEEP_BYTES = 64 * 1024 * 1024


def check(evidence: Snapshot) -> list[Discrepancy]:
    """Hold the tables against each other: identities, duplicates' originals, claim checks."""
    return [*_doubled(evidence), *_dangling_duplicates(evidence), *_missing_objects(evidence)]


def unconfirmed_alerts(evidence: Snapshot) -> list[Discrepancy]:
    """Items that still bear the mark of an owed alert although no message is left that would bring it.

    The function publishes first and then clears the mark, once: a mark left alone nearly always means that
    the clearing was throttled. It is worth a look, and breaks no law.
    """
    if not evidence.still:
        return []
    waiting = {message.content_hash for message in evidence.dead_lettered}
    return [
        Discrepancy(
            UNCONFIRMED, item.event_id or item.message_id, f"message {item.message_id} still owes its alert"
        )
        for item in evidence.kept
        if item.alert_pending and item.content_hash not in waiting
    ]


def body_bytes(evidence: Snapshot) -> int:
    """The size of all bodies together, as sent."""
    return sum(item.body_bytes for item in evidence.kept)


@dataclass
class BodyCheck:
    """How many bodies were unpacked and hashed, and which of them are not what was sent."""

    checked: int = 0
    findings: list[Discrepancy] = field(default_factory=list)


def check_bodies(resources: Resources) -> BodyCheck:
    """Unpack every stored and rejected body and compare its hash with the one taken when it arrived."""
    fetch = payloads.fetcher(resources)
    total = BodyCheck()
    for table, key in ((resources.table_name, "event_id"), (resources.rejected_table_name, "message_id")):
        pages = tables.scan(
            resources,
            table,
            (key, "content_hash", *payloads.ATTRIBUTES),
            partial(_check_page, key, fetch),
        )
        for page in pages:
            total.checked += len(page)
            total.findings.extend(finding for finding in page if finding is not None)
    return total


def _check_page(key: str, fetch: Callable[[str], bytes], items: list[Item]) -> list[Discrepancy | None]:
    return [_check_body(item[key]["S"], item, fetch) for item in items]


def _check_body(name: str, item: Item, fetch: Callable[[str], bytes]) -> Discrepancy | None:
    try:
        body = payloads.body_of(item, fetch)
    except BodyLost as lost:
        return Discrepancy(UNREADABLE, name, str(lost))
    if hashlib.sha256(body).hexdigest() != tables.text(item, "content_hash"):
        return Discrepancy(
            UNREADABLE, name, "its body is not the one that was sent: the content hash differs"
        )
    return None


def _doubled(evidence: Snapshot) -> Iterator[Discrepancy]:
    places: dict[str, list[str]] = defaultdict(list)
    names: dict[str, str] = {}
    waiting = {message.message_id for message in (*evidence.dead_lettered, *evidence.queued)}
    for place, rows in (
        (STORED, evidence.stored),
        (DUPLICATE, evidence.duplicates),
        (REJECTED, evidence.rejected),
    ):
        for row in rows:
            if row.message_id in waiting:
                continue  # its own redelivery will finish it
            places[row.message_id].append(place)
            names[row.message_id] = row.event_id or row.message_id
    for message_id, found in places.items():
        if len(found) > 1:
            what = f"message {message_id} is {' and '.join(found)}"
            yield Discrepancy(DOUBLED, names[message_id], what)


def _dangling_duplicates(evidence: Snapshot) -> Iterator[Discrepancy]:
    stored = {item.event_id: item.content_hash for item in evidence.stored}
    for duplicate in evidence.duplicates:
        original = stored.get(duplicate.event_id)
        if original is None:
            what = f"message {duplicate.message_id} is a duplicate of an event that is not stored"
            yield Discrepancy(DANGLING, duplicate.event_id, what)
        elif original != duplicate.stored_hash:
            what = f"message {duplicate.message_id} is a duplicate of other content than is stored"
            yield Discrepancy(DANGLING, duplicate.event_id, what)


def _missing_objects(evidence: Snapshot) -> Iterator[Discrepancy]:
    for item in evidence.kept:
        if item.payload_key is not None and item.payload_key not in evidence.objects:
            yield Discrepancy(
                UNREADABLE, item.event_id or item.message_id, f"there is no object {item.payload_key}"
            )
