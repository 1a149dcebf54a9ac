"""Sends the messages of a run, generated or the user's own, and sums up the result."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from contract import EVENT_TYPES
from producer.arguments import is_paced
from producer.errors import ProducerError
from producer.generate.events import Events, RunSpec
from producer.generate.messages import DUPLICATE, INVALID
from producer.generate.profiles import PROFILES, Timetable
from producer.manifest import Header, Manifest
from producer.options import Options
from producer.own_events import SKIP, Check, OwnEvents, open_lines
from producer.send.batching import MAX_BYTES
from producer.send.rate_limiter import RateLimiter
from producer.send.run_stats import Failure, Progress, RunStats
from producer.send.target import Target
from producer.send.worker_pool import WorkerPool

OnProgress = Callable[[Progress], None]
# The keys of Result.sent.
KINDS = (*EVENT_TYPES, INVALID, DUPLICATE)


@dataclass(frozen=True)
class Result:
    """The result of a run.

    ``sent`` counts accepted messages by kind (`KINDS`); ``large_orders`` of the orders were large. ``bytes``
    are of message bodies. ``unsent`` messages were not tried, or not tried to the end, when the run stopped;
    ``failed`` messages were given up. ``error`` is why the run stopped; ``interrupted`` means that the user
    stopped it. ``sent_before`` counts messages that the resumed run had already sent, ``skipped`` lines of
    the user's own events that were not to be sent. ``cut_off`` means that standard input has more lines.
    """

    run_id: str
    seed: int
    queue_url: str
    manifest: Path | None
    count: int
    sent_before: int
    sent: dict[str, int]
    large_orders: int
    bytes: int
    seconds: float
    retries: int
    failed: list[Failure]
    unsent: int
    interrupted: bool
    error: str | None
    skipped: int = 0
    cut_off: bool = False

    @property
    def sent_total(self) -> int:
        """The number of messages that SQS accepted in this run."""
        return sum(self.sent.values())

    @property
    def events_per_second(self) -> float:
        """Accepted messages per second, from the first request to the last response."""
        return self.sent_total / self.seconds if self.seconds else 0.0

    @property
    def complete(self) -> bool:
        """Whether SQS accepted every message of the run."""
        return not self.failed and not self.unsent and not self.cut_off


def send_generated(
    options: Options,
    header: Header,
    spec: RunSpec,
    target: Target,
    manifest: Manifest | None,
    sent_before: bytearray,
    on_progress: OnProgress | None,
) -> Result:
    """Send the messages whose byte in ``sent_before`` is not set; it is empty for a new run."""
    speed = None
    if is_paced(options):
        speed = Timetable(PROFILES[spec.profile], spec.span_ms, spec.count).speed
    count_before = sent_before.count(1)
    rate_limiter = RateLimiter(options.rate, speed=speed, sent=count_before)
    max_entries = options.batch_size
    if options.target_bytes:
        max_entries = min(max_entries, MAX_BYTES // options.target_bytes)
    size = rate_limiter.batch_size(max_entries)
    numbers = (number for number in range(spec.count) if not sent_before or not sent_before[number])
    stop, stats = threading.Event(), RunStats(manifest)
    batches = iter(lambda: list(islice(numbers, size)), [])
    pool = WorkerPool(target, batches, Events(spec).message, rate_limiter, stats, stop)
    outcome = _run(pool, stats, spec.count - count_before, on_progress)
    return _finish(header, manifest, stats, outcome, count=spec.count, sent_before=count_before)


def send_own(
    options: Options,
    header: Header,
    check: Check | None,
    target: Target,
    manifest: Manifest | None,
    sent_before: bytearray,
    on_progress: OnProgress | None,
) -> Result:
    """Send the lines of a file, or of standard input if there is no ``check`` of it."""
    assert options.from_file is not None
    stop, stats = threading.Event(), RunStats(manifest)
    count_before = sent_before.count(1)
    total = None
    if check:
        skipped = check.unsendable + (check.refused if options.refused == SKIP else 0)
        total = check.lines - skipped - count_before
    rate_limiter = RateLimiter(options.rate)
    with open_lines(options.from_file) as descriptor:
        events = OwnEvents(descriptor, options.refused, sent_before)
        batches = events.batches(rate_limiter.batch_size(options.batch_size), stop)
        pool = WorkerPool(target, batches, lambda message: message, rate_limiter, stats, stop)
        outcome = _run(pool, stats, total, on_progress)
    error = outcome.error or events.error or None
    expected = events.handed_out if total is None else total
    cut_off = total is None and bool(error or outcome.interrupted)
    if cut_off:
        error = f"{error or ''}\n{events.check.lines:,} lines were read.".strip()
    result = _finish(
        header,
        manifest,
        stats,
        replace(outcome, error=error),
        count=count_before + expected,
        sent_before=count_before,
        cut_off=cut_off,
    )
    return replace(result, skipped=events.skipped)


@dataclass(frozen=True)
class _Outcome:
    """How sending ended."""

    seconds: float
    interrupted: bool
    error: str | None


def _run(
    pool: WorkerPool[Any], stats: RunStats, total: int | None, on_progress: OnProgress | None
) -> _Outcome:
    started = time.monotonic()

    def report_progress() -> None:
        if on_progress:
            on_progress(stats.progress(total, time.monotonic() - started))

    error = None
    interrupted = False
    try:
        interrupted = pool.run(report_progress)
    except ProducerError as stopped:
        error = str(stopped)
    return _Outcome(time.monotonic() - started, interrupted, error)


def _finish(
    header: Header,
    manifest: Manifest | None,
    stats: RunStats,
    outcome: _Outcome,
    *,
    count: int,
    sent_before: int,
    cut_off: bool = False,
) -> Result:
    unsent = count - sent_before - stats.sent_total - len(stats.failures)
    if manifest and not unsent and not cut_off:
        manifest.complete(sent_before + stats.sent_total, [failure.display_id for failure in stats.failures])
    return Result(
        run_id=header.run_id,
        seed=header.seed,
        queue_url=header.queue_url,
        manifest=manifest.path if manifest and (stats.sent_total or sent_before) else None,
        count=count,
        sent_before=sent_before,
        sent={kind: stats.sent[kind] for kind in KINDS},
        large_orders=stats.large_orders,
        bytes=stats.bytes,
        seconds=outcome.seconds,
        retries=stats.retries,
        failed=stats.failures,
        unsent=unsent,
        interrupted=outcome.interrupted,
        error=outcome.error,
        cut_off=cut_off,
    )
