"""`make verify`: check the accounting invariant for the pipeline's contents and for a producer's run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from producer.manifest import SentMessage, SentRun
from tools.core import queues
from tools.core.queues import Depth
from tools.core.resources import Resources
from tools.ops.verify import archive, integrity, reconcile, snapshot
from tools.ops.verify.archive import ArchiveCheck
from tools.ops.verify.integrity import BodyCheck
from tools.ops.verify.reconcile import Discrepancy, Reconciliation
from tools.ops.verify.snapshot import Snapshot

# Discrepancies that no moving message explains.
_LASTING = {integrity.UNREADABLE, archive.DAMAGED}
# The first pause before the messages of a run are looked up although the queue is not empty. It doubles.
_FIRST_IDLE_SECONDS = 5.0


@dataclass(frozen=True)
class VerifyResult:
    """The results of all checks.

    ``bodies`` is None if they were not checked, ``archive`` if the pipeline has none, ``run`` and
    ``reconciliation`` if there was no manifest. ``changed`` is whether a second snapshot, which is taken if
    the first one has discrepancies, has other rows.
    """

    snapshot: Snapshot
    discrepancies: list[Discrepancy]
    unconfirmed_alerts: list[Discrepancy]
    bodies: BodyCheck | None = None
    run: SentRun | None = None
    reconciliation: Reconciliation | None = None
    archive: ArchiveCheck | None = None
    changed: bool = False

    @property
    def moving(self) -> bool:
        """Return whether messages moved while they were counted."""
        return not self.snapshot.still or self.changed or (self.run is not None and self.run.running)

    @property
    def is_undecided(self) -> bool:
        """Return whether moving messages, or unseen ones in the queues, may explain all discrepancies."""
        if self.ok or any(each.kind in _LASTING for each in self.discrepancies):
            return False
        unseen = self.reconciliation is not None and 0 < self.reconciliation.lost <= self.snapshot.unseen
        return self.moving or unseen

    @property
    def ok(self) -> bool:
        """Return whether there are no discrepancies."""
        return not self.discrepancies


def evaluate(
    contents: Snapshot,
    run: SentRun | None = None,
    bodies: BodyCheck | None = None,
    archived: ArchiveCheck | None = None,
) -> VerifyResult:
    """Check a snapshot, and a run if there is one, and collect all discrepancies."""
    reconciliation = reconcile.reconcile(run.messages, contents) if run else None
    discrepancies = [
        *(reconciliation.discrepancies if reconciliation else []),
        *integrity.check(contents),
        *(bodies.discrepancies if bodies else []),
        *(archived.discrepancies if archived else []),
    ]
    return VerifyResult(
        snapshot=contents,
        # Two checks may report the same discrepancy.
        discrepancies=list(dict.fromkeys(discrepancies)),
        unconfirmed_alerts=integrity.unconfirmed_alerts(contents),
        bodies=bodies,
        run=run,
        reconciliation=reconciliation,
        archive=archived,
    )


def collect_when_drained(
    resources: Resources,
    sent: Sequence[SentMessage],
    *,
    wait: float,
    progress: Callable[[Depth], None] = lambda _: None,
) -> Snapshot:
    """Wait until the queue has drained or all of ``sent`` have a final outcome, then return a snapshot.

    Waits ``wait`` seconds at most.
    """
    deadline = time.monotonic() + wait
    idle_timeout = _FIRST_IDLE_SECONDS
    while True:
        drained = queues.wait_until_drained(
            resources.client("sqs"),
            resources.queue_url,
            quiet_seconds=min(resources.quiet_seconds, wait),
            deadline=deadline,
            idle_timeout=idle_timeout,
            progress=progress,
        )
        contents = snapshot.collect(resources)
        # An emulator's counters are exact. AWS's lag, so an empty queue alone is no proof there.
        if (drained and resources.endpoint) or time.monotonic() >= deadline:
            return contents
        if (drained or sent) and reconcile.reconcile(sent, contents).is_final:
            return contents
        idle_timeout *= 2


def verify(
    resources: Resources,
    run: SentRun | None,
    *,
    wait: float,
    deep: bool | None = None,
    progress: Callable[[Depth], None] = lambda _: None,
) -> VerifyResult:
    """Wait for the queue to drain, see `collect_when_drained`, and run all checks.

    ``deep`` is whether to download and hash every body; None means up to 64 MiB of them.
    """
    contents = collect_when_drained(resources, run.messages if run else (), wait=wait, progress=progress)
    if deep is None:
        deep = integrity.body_bytes(contents) <= integrity.DEEP_BYTES
    bodies = integrity.check_bodies(resources) if deep else None
    archived = archive.check(resources, contents, wait=wait) if resources.archive_bucket else None
    result = evaluate(contents, run, bodies, archived)
    if result.ok or result.moving:
        return result
    return replace(result, changed=snapshot.collect(resources).rows != contents.rows)
