"""Sends the messages of a run, generated or the user's own, and sums up the result."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class Delivery:
    """A run whose messages are sent. ``sent_before`` has a byte that is set for each that was sent before.

    ``sent_before`` is empty for a new run.
    """

    options: Options
    header: Header
    target: Target
    manifest: Manifest | None
    on_progress: OnProgress | None = None
    sent_before: bytearray = field(default_factory=bytearray)

    def send_generated(self, spec: RunSpec) -> Result:
        """Generate the messages and send them."""
        options, sent_before = self.options, self.sent_before
        speed = None
        if is_paced(options):
            speed = Timetable(PROFILES[spec.profile], spec.span_ms, spec.count).speed
        rate_limiter = RateLimiter(options.rate, speed=speed, sent=sent_before.count(1))
        max_entries = options.batch_size
        if options.target_bytes:
            max_entries = min(max_entries, MAX_BYTES // options.target_bytes)
        size = rate_limiter.batch_size(max_entries)
        numbers = (number for number in range(spec.count) if not sent_before or not sent_before[number])
        batches = iter(lambda: list(islice(numbers, size)), [])
        stop, stats = threading.Event(), RunStats(self.manifest)
        pool = WorkerPool(self.target, batches, Events(spec).message, rate_limiter, stats, stop)
        seconds, interrupted, error = self._run(pool, stats, spec.count - sent_before.count(1))
        return self._result(stats, spec.count, seconds=seconds, interrupted=interrupted, error=error)

    def send_own(self, check: Check | None) -> Result:
        """Send the lines of a file, or of standard input if there is no ``check`` of it."""
        options, count_before = self.options, self.sent_before.count(1)
        assert options.from_file is not None
        stop, stats = threading.Event(), RunStats(self.manifest)
        total = None
        if check:
            skipped = check.unsendable + (check.refused if options.refused == SKIP else 0)
            total = check.lines - skipped - count_before
        rate_limiter = RateLimiter(options.rate)
        with open_lines(options.from_file) as descriptor:
            events = OwnEvents(descriptor, options.refused, self.sent_before, check.lines if check else None)
            batches = events.batches(rate_limiter.batch_size(options.batch_size), stop)
            pool = WorkerPool(self.target, batches, lambda message: message, rate_limiter, stats, stop)
            seconds, interrupted, error = self._run(pool, stats, total)
        error = error or events.error or None
        cut_off = total is None and bool(error or interrupted)
        if cut_off:
            error = f"{error or ''}\n{events.check.lines:,} lines were read.".strip()
        return self._result(
            stats,
            count_before + max(events.handed_out, total or 0),
            seconds=seconds,
            interrupted=interrupted,
            error=error,
            skipped=events.skipped,
            cut_off=cut_off,
        )

    def _run(
        self, pool: WorkerPool[Any], stats: RunStats, total: int | None
    ) -> tuple[float, bool, str | None]:
        """Send everything. Return the seconds, whether Ctrl-C ended it, and the error that ended it."""
        started = time.monotonic()

        def report_progress() -> None:
            if self.on_progress:
                self.on_progress(stats.progress(total, time.monotonic() - started))

        interrupted, error = False, None
        try:
            interrupted = pool.run(report_progress)
        except ProducerError as stopped:
            error = str(stopped)
        return time.monotonic() - started, interrupted, error

    def _result(self, stats: RunStats, count: int, *, cut_off: bool = False, **outcome: Any) -> Result:
        manifest, sent_before = self.manifest, self.sent_before.count(1)
        unsent = count - sent_before - stats.sent_total - len(stats.failures)
        if manifest and not unsent and not cut_off:
            failed = [failure.display_id for failure in stats.failures]
            manifest.complete(sent_before + stats.sent_total, failed)
        return Result(
            run_id=self.header.run_id,
            seed=self.header.seed,
            queue_url=self.header.queue_url,
            manifest=manifest.path if manifest and (stats.sent_total or sent_before) else None,
            count=count,
            sent_before=sent_before,
            sent={kind: stats.sent[kind] for kind in KINDS},
            large_orders=stats.large_orders,
            bytes=stats.bytes,
            retries=stats.retries,
            failed=stats.failures,
            unsent=unsent,
            cut_off=cut_off,
            **outcome,
        )
