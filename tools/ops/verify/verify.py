"""`make verify`: check the accounting invariant for a producer's run, or for all rows of the pipeline.

A run is checked by asking for its messages' rows; bodies are not read. Everything is checked by reading all
rows, with their bodies.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from producer.manifest import SentMessage, SentRun
from tools.core import queues
from tools.core.resources import Resources
from tools.ops.share import WHOLE, Share
from tools.ops.verify import reconcile
from tools.ops.verify.archive import ArchiveComparison
from tools.ops.verify.integrity import BodyCheck
from tools.ops.verify.lookup import Lookup
from tools.ops.verify.result import VerifyResult
from tools.ops.verify.scan import TableScan
from tools.ops.verify.snapshot import Snapshot

# The first pause before the messages of a run are looked up although the queue is not empty. It doubles.
_FIRST_IDLE_SECONDS = 5.0

Found = TypeVar("Found")
Progress = Callable[[str, int], None]
"""Show a step and the number of things that are done; the queue's depth while it drains."""

WAITING, LOOKING_UP, READING = "waiting until the queue has drained", "looking up the run", "reading all rows"


def _show_nothing(_step: str, _done: int) -> None:
    """Show no progress."""


def collect_when_drained(
    resources: Resources, sent: Sequence[SentMessage], *, wait: float, progress: Progress = _show_nothing
) -> Snapshot:
    """Return the rows of ``sent`` when the queue has drained, see `_when_drained`."""
    return _when_drained(
        resources,
        lambda: Lookup(resources).collect(sent),
        lambda contents, _: reconcile.reconcile(sent, contents).is_final,
        wait,
        progress,
    )


def verify(
    resources: Resources,
    runs: Iterable[SentRun],
    *,
    wait: float,
    everything: bool = False,
    share: Share = WHOLE,
    progress: Progress = _show_nothing,
) -> VerifyResult:
    """Wait for the queue to drain, see `_when_drained`, and run all checks.

    ``runs`` are parts of one run, and are iterated again and again. ``everything`` is whether to read all
    rows and hash all bodies as well; of these, this machine reads its ``share``.
    """
    archive = None
    if resources.archive_bucket:
        archive = ArchiveComparison(resources, everything=everything, shared=share.of > 1)

    def look_up() -> VerifyResult:
        result, lookup, done = VerifyResult(everything), Lookup(resources), 0
        for run in runs:
            contents = lookup.collect(run.messages)
            result.check(contents, run)
            if not everything:
                result.count(contents)
                _expect(archive, contents)
            done += len(run.messages)
            progress(LOOKING_UP, done)
        return result

    def read(result: VerifyResult) -> VerifyResult:
        def count(contents: Snapshot, bodies: BodyCheck | None) -> None:
            result.count(contents, bodies)
            _expect(archive, contents)

        if everything:
            TableScan(
                resources,
                share,
                count=count,
                check=result.check,
                progress=lambda done: progress(READING, done),
            ).run()
        return result

    result = read(_when_drained(resources, look_up, _is_final, wait, progress))
    result.archive = archive.compare(wait=wait) if archive else None
    if not (result.ok or result.moving):
        result.changed = read(look_up()).fingerprint != result.fingerprint
    return result


def _expect(archive: ArchiveComparison | None, contents: Snapshot) -> None:
    if archive:
        archive.expect(contents)


def _is_final(result: VerifyResult, drained: bool) -> bool:
    if result.reconciliation is None:
        return drained
    return result.reconciliation.is_final


def _when_drained(
    resources: Resources,
    look: Callable[[], Found],
    is_final: Callable[[Found, bool], bool],
    wait: float,
    progress: Progress,
) -> Found:
    """Wait until the queue has drained or all of a run have a final outcome. Return what ``look`` sees then.

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
            progress=lambda depth: progress(WAITING, depth.total),
        )
        seen = look()
        # An emulator's counters are exact. AWS's lag, so an empty queue alone is no proof there.
        if (drained and resources.endpoint) or is_final(seen, drained) or time.monotonic() >= deadline:
            return seen
        idle_timeout *= 2
