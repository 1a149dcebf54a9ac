"""`make verify`: does the conservation law hold, for what is in the pipeline now and for a producer's run?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.core import queues
from tools.core.queues import Depth
from tools.core.resources import Resources
from tools.ops.verify import archive, integrity, reconcile, snapshot
from tools.ops.verify.archive import ArchiveCheck
from tools.ops.verify.integrity import BodyCheck
from tools.ops.verify.manifest import Manifest, Sent
from tools.ops.verify.reconcile import Discrepancy, Reconciliation
from tools.ops.verify.snapshot import Snapshot

# Where the queue stops getting shorter, what was sent is looked for after this long, then ever more rarely.
_FIRST_LOOK_SECONDS = 5.0


@dataclass(frozen=True)
class VerifyResult:
    """What verify found.

    ``bodies`` is None where they were not checked, ``archive`` where there is none, ``run`` where no manifest
    was given.
    """

    snapshot: Snapshot
    findings: list[Discrepancy]
    unconfirmed: list[Discrepancy]
    bodies: BodyCheck | None = None
    manifest: Manifest | None = None
    run: Reconciliation | None = None
    archive: ArchiveCheck | None = None

    @property
    def undecided(self) -> bool:
        """Whether what seems lost may be among messages that are queued and cannot be looked at."""
        return self.run is not None and 0 < self.run.lost <= self.snapshot.unseen

    @property
    def holds(self) -> bool:
        """Whether the law holds."""
        return not self.findings


def judge(
    found: Snapshot,
    manifest: Manifest | None = None,
    bodies: BodyCheck | None = None,
    archived: ArchiveCheck | None = None,
) -> VerifyResult:
    """Hold a picture of the pipeline, and a run if there is one, against the law."""
    run = reconcile.reconcile(manifest.sent, found) if manifest else None
    findings = [
        *(run.findings if run else []),
        *integrity.check(found),
        *(bodies.findings if bodies else []),
        *(archived.findings if archived else []),
    ]
    # What is wrong with one message may have been found from both sides.
    return VerifyResult(
        snapshot=found,
        findings=list(dict.fromkeys(findings)),
        unconfirmed=integrity.unconfirmed_alerts(found),
        bodies=bodies,
        manifest=manifest,
        run=run,
        archive=archived,
    )


def observe(
    resources: Resources,
    sent: Sequence[Sent],
    *,
    wait: float,
    progress: Callable[[Depth], None] = lambda _: None,
) -> Snapshot:
    """Wait until the queue has drained or all of ``sent`` is settled, then take a picture of the pipeline.

    Gives up waiting after ``wait`` seconds.
    """
    deadline = time.monotonic() + wait
    patience = _FIRST_LOOK_SECONDS
    while True:
        drained = queues.wait_until_drained(
            resources.client("sqs"),
            resources.queue_url,
            settle=min(resources.settle_seconds, wait),
            deadline=deadline,
            patience=patience,
            progress=progress,
        )
        found = snapshot.collect(resources)
        # An emulator's counters are exact. On AWS they lag, so an empty queue proves nothing by itself.
        if (drained and resources.endpoint) or time.monotonic() >= deadline:
            return found
        if (drained or sent) and reconcile.reconcile(sent, found).settled:
            return found
        patience *= 2


def verify(
    resources: Resources,
    manifest: Manifest | None,
    *,
    wait: float,
    deep: bool | None = None,
    progress: Callable[[Depth], None] = lambda _: None,
) -> VerifyResult:
    """Observe the pipeline, see `observe`, and judge it.

    ``deep`` says whether every body is downloaded and hashed; None means up to 64 MiB of them.
    """
    found = observe(resources, manifest.sent if manifest else (), wait=wait, progress=progress)
    if deep is None:
        deep = integrity.body_bytes(found) <= integrity.DEEP_BYTES
    bodies = integrity.check_bodies(resources) if deep else None
    archived = archive.check(resources, found, wait=wait) if resources.archive_bucket else None
    return judge(found, manifest, bodies, archived)
