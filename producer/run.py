"""Runs the producer from Python. It needs no terminal and prints nothing."""

import secrets
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from contract import EVENT_TYPES
from producer.errors import ProducerError
from producer.generate.events import SEEDED_SPACING_US, SEEDED_START, Events, RunSpec
from producer.generate.messages import DUPLICATE, INVALID
from producer.generate.plan import Ratios
from producer.manifest import Header, Manifest, read_header, read_messages
from producer.options import Options, exact
from producer.send.batching import MAX_BYTES
from producer.send.rate_limiter import RateLimiter
from producer.send.run_stats import Failure, Progress, RunStats
from producer.send.target import Target
from producer.send.worker_pool import WorkerPool
from tools.core.aws import create_session

# The keys of Result.sent.
KINDS = (*EVENT_TYPES, INVALID, DUPLICATE)


@dataclass(frozen=True)
class Result:
    """The result of a run.

    ``sent`` counts accepted messages by kind (`KINDS`); ``large_orders`` of the orders were large. ``bytes``
    are of message bodies. ``unsent`` messages were not tried, or not tried to the end, when the run stopped;
    ``failed`` messages were given up. ``error`` is why the run stopped; ``interrupted`` means that the user
    stopped it. ``sent_before`` counts messages that the resumed run had already sent.
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
        return not self.failed and not self.unsent


def produce(
    options: Options, on_progress: Callable[[Progress], None] | None = None, session: Any = None
) -> Result:
    """Send a run of events and return the result. Ctrl-C ends it early, with ``interrupted`` set.

    ``on_progress`` is called five times a second. ``session`` is a botocore session with credentials, by
    default one with the environment's. Raises ProducerError when the run cannot start.
    """
    now = datetime.now(UTC)
    if options.seed is None:
        spec = _spec(options, secrets.randbits(48), now, _live_spacing_us(options))
    else:
        spec = _spec(options, options.seed, SEEDED_START, SEEDED_SPACING_US)
    header = Header(
        run_id=f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
        seed=spec.seed,
        queue_url=options.queue_url,
        started_at=now.isoformat(),
        arguments={
            "count": options.count,
            "batch_size": options.batch_size,
            "target_kb": options.target_kb,
            "rate": options.rate,
            "invalid_ratio": str(spec.ratios.invalid),
            "large_ratio": str(spec.ratios.large),
            "duplicate_ratio": str(spec.ratios.duplicate),
            "events_start": spec.start.isoformat(),
            "events_spacing_us": spec.spacing_us,
        },
    )
    target = _target(options, session)
    with _open_manifest(options.manifest, header) as manifest:
        return _send(options, header, spec, target, manifest, bytearray(), on_progress)


def resume(
    manifest: Path,
    *,
    queue_url: str | None = None,
    batch_size: int | None = None,
    rate: float | None = None,
    endpoint_url: str | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    session: Any = None,
) -> Result:
    """Send the messages of a run that its manifest does not name, and add them to the manifest.

    If the run was killed, SQS may have accepted requests in flight that the manifest does not name. Their
    messages are sent again, as duplicates. ``batch_size`` and ``rate`` default to the run's. ``queue_url`` is
    only compared with the run's. Raises ProducerError.
    """
    with Manifest.reopen(manifest) as opened:
        header = read_header(manifest)
        if queue_url not in (None, header.queue_url):
            raise ProducerError(
                f"{manifest} is the manifest of a run to another queue, {header.queue_url}\n"
                f"The rest must go to that queue, not to {queue_url}\n"
                f"Give the run's queue, or none: --queue-url {header.queue_url}"
            )
        try:
            options, spec = _read_run(manifest, header)
            sent_before = bytearray(options.count)
            for message in read_messages(manifest):
                sent_before[message["index"]] = 1
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ProducerError(
                f"{manifest} is damaged and cannot be resumed: {error!r}\nStart a new run without --resume."
            ) from None
        if batch_size is not None:
            options = replace(options, batch_size=batch_size)
        if rate is not None:
            options = replace(options, rate=rate)
        options = replace(options, endpoint_url=endpoint_url)
        target = _target(options, session)
        return _send(options, header, spec, target, opened, sent_before, on_progress)


def _read_run(manifest: Path, header: Header) -> tuple[Options, RunSpec]:
    arguments = header.arguments
    options = Options(
        queue_url=header.queue_url,
        count=arguments["count"],
        batch_size=arguments["batch_size"],
        target_kb=arguments["target_kb"],
        rate=arguments["rate"],
        seed=header.seed,
        invalid_ratio=Fraction(arguments["invalid_ratio"]),
        large_ratio=Fraction(arguments["large_ratio"]),
        duplicate_ratio=Fraction(arguments["duplicate_ratio"]),
        manifest=manifest,
    )
    start = datetime.fromisoformat(arguments["events_start"])
    return options, _spec(options, header.seed, start, arguments["events_spacing_us"])


def _spec(options: Options, seed: int, start: datetime, spacing_us: int) -> RunSpec:
    ratios = Ratios(
        invalid=exact(options.invalid_ratio),
        duplicate=exact(options.duplicate_ratio),
        large=exact(options.large_ratio),
    )
    return RunSpec(seed, start, spacing_us, options.target_bytes, ratios)


def _live_spacing_us(options: Options) -> int:
    # Events of a run with a rate occur at about the time at which they are sent.
    valid = 1 - exact(options.invalid_ratio) - exact(options.duplicate_ratio)
    return round(1_000_000 / (options.rate * valid)) if options.rate and valid else 0


def _target(options: Options, session: Any) -> Target:
    session = session or create_session(options.endpoint_url or options.queue_url)
    return Target.find(options.queue_url, options.endpoint_url, session)


def _open_manifest(path: Path | None, header: Header) -> AbstractContextManager[Manifest | None]:
    if path is None:
        return nullcontext()
    return Manifest.create(path / f"{header.run_id}.jsonl" if path.is_dir() else path, header)


def _send(
    options: Options,
    header: Header,
    spec: RunSpec,
    target: Target,
    manifest: Manifest | None,
    sent_before: bytearray,
    on_progress: Callable[[Progress], None] | None,
) -> Result:
    """Send the messages whose byte in ``sent_before`` is not set; it is empty for a new run."""
    count_before = sent_before.count(1)
    total = options.count - count_before
    rate_limiter = RateLimiter(options.rate)
    max_entries = options.batch_size
    if options.target_bytes:
        max_entries = min(max_entries, MAX_BYTES // options.target_bytes)
    stats = RunStats(manifest)
    pool = WorkerPool(
        target,
        Events(spec),
        (number for number in range(options.count) if not sent_before or not sent_before[number]),
        rate_limiter.batch_size(max_entries),
        rate_limiter,
        stats,
    )
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
    seconds = time.monotonic() - started
    unsent = total - stats.sent_total - len(stats.failures)
    if manifest and not unsent:
        manifest.complete(count_before + stats.sent_total, [failure.display_id for failure in stats.failures])
    return Result(
        run_id=header.run_id,
        seed=header.seed,
        queue_url=options.queue_url,
        manifest=manifest.path if manifest and (stats.sent_total or count_before) else None,
        count=options.count,
        sent_before=count_before,
        sent={kind: stats.sent[kind] for kind in KINDS},
        large_orders=stats.large_orders,
        bytes=stats.bytes,
        seconds=seconds,
        retries=stats.retries,
        failed=stats.failures,
        unsent=unsent,
        interrupted=interrupted,
        error=error,
    )
