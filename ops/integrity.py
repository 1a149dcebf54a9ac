"""What must hold for whatever is in the pipeline now, without knowing what was sent."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from ops import bodies, tables
from ops.bodies import BodyLost
from ops.evidence import Evidence
from ops.law import DOUBLED, DUPLICATE, REJECTED, STORED, Finding
from ops.resources import Resources
from ops.tables import Item

DANGLING = "dangling"
UNREADABLE = "unreadable"
UNCONFIRMED = "alert unconfirmed"

# Rehashing every body costs its download: this much takes some seconds. Above, only --deep does it.
DEEP_BYTES = 64 * 1024 * 1024


def check(evidence: Evidence) -> list[Finding]:
    """Hold the tables against each other: identities, duplicates' originals, claim checks."""
    return [*_doubled(evidence), *_dangling_duplicates(evidence), *_missing_objects(evidence)]


def unconfirmed_alerts(evidence: Evidence) -> list[Finding]:
    """Items that still bear the mark of an owed alert although no message is left that would bring it.

    The function publishes first and then clears the mark, once: a mark left alone nearly always means that
    the clearing was throttled. It is worth a look, and breaks no law.
    """
    if not evidence.still:
        return []
    waiting = {message.content_hash for message in evidence.dead_lettered}
    return [
        Finding(
            UNCONFIRMED, item.event_id or item.message_id, f"message {item.message_id} still owes its alert"
        )
        for item in evidence.kept
        if item.alert_pending and item.content_hash not in waiting
    ]


def body_bytes(evidence: Evidence) -> int:
    """The size of all bodies together, as sent."""
    return sum(item.body_bytes for item in evidence.kept)


@dataclass
class BodyCheck:
    """How many bodies were unpacked and hashed, and which of them are not what was sent."""

    checked: int = 0
    findings: list[Finding] = field(default_factory=list)


def check_bodies(resources: Resources) -> BodyCheck:
    """Unpack every stored and rejected body and compare its hash with the one taken when it arrived."""
    fetch = bodies.fetcher(resources)
    total = BodyCheck()
    for table, key in ((resources.table_name, "event_id"), (resources.rejected_table_name, "message_id")):
        pages = tables.scan(
            resources,
            table,
            (key, "content_hash", *bodies.ATTRIBUTES),
            partial(_check_page, key, fetch),
        )
        for page in pages:
            total.checked += len(page)
            total.findings.extend(finding for finding in page if finding is not None)
    return total


def _check_page(key: str, fetch: Callable[[str], bytes], items: list[Item]) -> list[Finding | None]:
    return [_check_body(item[key]["S"], item, fetch) for item in items]


def _check_body(name: str, item: Item, fetch: Callable[[str], bytes]) -> Finding | None:
    try:
        body = bodies.body_of(item, fetch)
    except BodyLost as lost:
        return Finding(UNREADABLE, name, str(lost))
    if hashlib.sha256(body).hexdigest() != tables.text(item, "content_hash"):
        return Finding(UNREADABLE, name, "its body is not the one that was sent: the content hash differs")
    return None


def _doubled(evidence: Evidence) -> Iterator[Finding]:
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
            yield Finding(DOUBLED, names[message_id], what)


def _dangling_duplicates(evidence: Evidence) -> Iterator[Finding]:
    stored = {item.event_id: item.content_hash for item in evidence.stored}
    for duplicate in evidence.duplicates:
        original = stored.get(duplicate.event_id)
        if original is None:
            what = f"message {duplicate.message_id} is a duplicate of an event that is not stored"
            yield Finding(DANGLING, duplicate.event_id, what)
        elif original != duplicate.stored_hash:
            what = f"message {duplicate.message_id} is a duplicate of other content than is stored"
            yield Finding(DANGLING, duplicate.event_id, what)


def _missing_objects(evidence: Evidence) -> Iterator[Finding]:
    for item in evidence.kept:
        if item.payload_key is not None and item.payload_key not in evidence.objects:
            yield Finding(
                UNREADABLE, item.event_id or item.message_id, f"there is no object {item.payload_key}"
            )
