"""`make erase`: find everything of a customer, record the erasure, remove it.

Every step can be repeated. The record is written first: a second run finds by its message ids what has no
owner any more, such as a duplicate whose event is gone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tools.core.resources import Resources
from tools.ops import erasures
from tools.ops.erase.archive import ArchiveLines
from tools.ops.erase.local_files import ManifestLines, QueryCache, ReportPage
from tools.ops.erase.matching import Customer
from tools.ops.erase.messages import QueuedMessages
from tools.ops.erase.objects import AthenaResults, ClaimChecks
from tools.ops.erase.rows import DuplicateRows, EventRows, RejectedRows
from tools.ops.erase.search import Place, Search
from tools.ops.share import WHOLE, Share

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What was found: the counts by place, and the places in the order in which they were searched."""

    search: Search
    places: list[Place]
    archive: ArchiveLines
    counts: dict[str, int]

    @property
    def total(self) -> int:
        """Return the number of all things that were found."""
        return sum(self.counts.values())


def find(resources: Resources, customer_id: str, progress: Progress, share: Share = WHOLE) -> Plan:
    """Search every place, or this machine's share. Changes nothing."""
    search = Search(resources, Customer(customer_id), erasures.message_ids(resources), share)
    archive = ArchiveLines(search)
    # What identifies messages elsewhere comes first; `erase` goes the other way.
    places: list[Place] = [
        EventRows(search),
        RejectedRows(search),
        archive,
        DuplicateRows(search),
        QueuedMessages(search, "dead-lettered", resources.dlq_url),
        QueuedMessages(search, "archive failures", resources.archive_failures_queue_url),
        ClaimChecks(search),
        AthenaResults(search),
        ManifestLines(search),
        QueryCache(search),
        ReportPage(search),
    ]
    counts = {}
    for place in places:
        progress(place.title)
        counts[place.title] = place.find()
    return Plan(search, places, archive, counts)


def erase(plan: Plan, progress: Progress) -> str:
    """Remove what was found. Return the id of the erasure, or "" if an earlier one names all messages."""
    search = plan.search
    erasure = erasures.Erasure.start(search.resources, plan.counts)
    recorded: set[str] = set()
    if search.message_ids - search.recorded or not search.message_ids:
        erasure.save(search.message_ids)
        recorded = set(search.message_ids)
    for place in reversed(plan.places):
        progress(place.title)
        place.erase()
    # The archiver may have written rows that were deleted since.
    plan.archive.erase()
    if recorded and search.message_ids - recorded:
        erasure.save(search.message_ids)  # the archiver wrote more meanwhile
    return erasure.erasure_id if recorded or not search.message_ids else ""
