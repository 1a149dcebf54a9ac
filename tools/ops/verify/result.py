"""The result of `make verify`: counts and discrepancies, added up part by part, so that memory stays flat."""

from collections import Counter
from dataclasses import dataclass, field, replace

from producer.manifest import SentRun
from tools.ops.verify import archive, integrity
from tools.ops.verify.archive import ArchiveCheck
from tools.ops.verify.integrity import BodyCheck
from tools.ops.verify.reconcile import Discrepancy, Reconciliation, reconcile
from tools.ops.verify.snapshot import Snapshot

# Discrepancies that no moving message explains.
_LASTING = {integrity.UNREADABLE, archive.DAMAGED}


@dataclass
class VerifyResult:
    """The results of all checks.

    ``everything`` is whether all rows of the tables were read, or only those of the run. ``bodies`` is None
    if they were not hashed, ``archive`` if the pipeline has none, ``run`` and ``reconciliation`` if there was
    no manifest. ``fingerprint`` is a hash of all rows, in any order, and of what is erased. ``changed`` is
    whether it was another one when all was read again, which is done if there are discrepancies.
    """

    everything: bool = False
    stored: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    dead_lettered: int = 0
    queued: int = 0
    unseen: int = 0
    still: bool = True
    claimed_origins: int = 0
    content_compared: bool = True
    bodies: BodyCheck | None = None
    run: SentRun | None = None
    reconciliation: Reconciliation | None = None
    archive: ArchiveCheck | None = None
    fingerprint: int = 0
    changed: bool = False
    found: dict[Discrepancy, None] = field(default_factory=dict)
    pending_alerts: list[Discrepancy] = field(default_factory=list)

    def check(self, contents: Snapshot, run: SentRun | None = None) -> None:
        """Check rows that belong together, and a part of a run if it is given."""
        self.dead_lettered, self.queued = len(contents.dead_lettered), len(contents.queued)
        self.unseen, self.still = contents.unseen, self.still and contents.still
        self.content_compared = contents.bodies_kept
        if run is not None:
            reconciliation = reconcile(run.messages, contents)
            self.found |= dict.fromkeys(reconciliation.discrepancies)
            self.reconciliation = (self.reconciliation or Reconciliation()) + reconciliation
            erased = run.erased + (self.run.erased if self.run else 0)
            self.run = replace(self.run or run, messages=(), erased=erased)
            self.fingerprint += run.erased
        # Two checks may find the same discrepancy.
        self.found |= dict.fromkeys(integrity.check(contents))

    def count(self, contents: Snapshot, bodies: BodyCheck | None = None) -> None:
        """Count rows, each of which is passed once, and add the check of their bodies."""
        self.stored.update(each.event_type for each in contents.stored)
        self.duplicates += len(contents.duplicates)
        self.rejected.update(each.kind for each in contents.rejected)
        self.claimed_origins += contents.claimed_origins
        self.pending_alerts += integrity.unconfirmed_alerts(contents)
        for row in (*contents.items, *contents.duplicates):
            self.fingerprint = (self.fingerprint + hash(row)) % 2**64
        if bodies is not None:
            self.bodies = (self.bodies or BodyCheck()) + bodies

    @property
    def discrepancies(self) -> list[Discrepancy]:
        """Return all discrepancies."""
        others = [each.discrepancies for each in (self.bodies, self.archive) if each]
        return list(self.found | dict.fromkeys(each for found in others for each in found))

    @property
    def unconfirmed_alerts(self) -> list[Discrepancy]:
        """Return the items with a pending alert, unless a message in the queue may publish it."""
        return self.pending_alerts if self.still else []

    @property
    def moving(self) -> bool:
        """Return whether messages moved while they were counted."""
        return not self.still or self.changed or (self.run is not None and self.run.running)

    @property
    def is_undecided(self) -> bool:
        """Return whether moving messages, or unseen ones in the queues, may explain all discrepancies."""
        if self.ok or any(each.kind in _LASTING for each in self.discrepancies):
            return False
        unseen = self.reconciliation is not None and 0 < self.reconciliation.lost <= self.unseen
        return self.moving or unseen

    @property
    def ok(self) -> bool:
        """Return whether there are no discrepancies."""
        return not self.discrepancies
