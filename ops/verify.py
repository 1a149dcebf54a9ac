"""`make verify`: does the conservation law hold, for what is in the pipeline now and for a producer's run?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ops import archive, evidence, integrity, law, queues
from ops.archive import ArchiveCheck
from ops.evidence import Evidence
from ops.integrity import BodyCheck
from ops.law import Account, Finding
from ops.manifest import Manifest, Sent
from ops.queues import Depth
from ops.resources import Resources

# Where the queue stops getting shorter, what was sent is looked for after this long, then ever more rarely.
_FIRST_LOOK_SECONDS = 5.0


@dataclass(frozen=True)
class Verdict:
    """What verify found.

    ``bodies`` is None where they were not checked, ``archive`` where there is none, ``run`` where no manifest
    was given.
    """

    evidence: Evidence
    findings: list[Finding]
    unconfirmed: list[Finding]
    bodies: BodyCheck | None = None
    manifest: Manifest | None = None
    run: Account | None = None
    archive: ArchiveCheck | None = None

    @property
    def undecided(self) -> bool:
        """Whether what seems lost may be among messages that are queued and cannot be looked at."""
        return self.run is not None and 0 < self.run.lost <= self.evidence.unseen

    @property
    def holds(self) -> bool:
        """Whether the law holds."""
        return not self.findings


def judge(
    found: Evidence,
    manifest: Manifest | None = None,
    bodies: BodyCheck | None = None,
    archived: ArchiveCheck | None = None,
) -> Verdict:
    """Hold a picture of the pipeline, and a run if there is one, against the law."""
    run = law.settle(manifest.sent, found) if manifest else None
    findings = [
        *(run.findings if run else []),
        *integrity.check(found),
        *(bodies.findings if bodies else []),
        *(archived.findings if archived else []),
    ]
    # What is wrong with one message may have been found from both sides.
    return Verdict(
        evidence=found,
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
) -> Evidence:
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
        found = evidence.collect(resources)
        # An emulator's counters are exact. On AWS they lag, so an empty queue proves nothing by itself.
        if (drained and resources.endpoint) or time.monotonic() >= deadline:
            return found
        if (drained or sent) and law.settle(sent, found).settled:
            return found
        patience *= 2


def verify(
    resources: Resources,
    manifest: Manifest | None,
    *,
    wait: float,
    deep: bool | None = None,
    progress: Callable[[Depth], None] = lambda _: None,
) -> Verdict:
    """Observe the pipeline, see `observe`, and judge it.

    ``deep`` says whether every body is downloaded and hashed; None means up to 64 MiB of them.
    """
    found = observe(resources, manifest.sent if manifest else (), wait=wait, progress=progress)
    if deep is None:
        deep = integrity.body_bytes(found) <= integrity.DEEP_BYTES
    bodies = integrity.check_bodies(resources) if deep else None
    archived = archive.check(resources, found, wait=wait) if resources.archive_bucket else None
    return judge(found, manifest, bodies, archived)
