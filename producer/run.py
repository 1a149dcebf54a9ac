"""A run of the producer from Python: no terminal needed, nothing printed."""

import secrets
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import botocore.session

import contract
from producer.errors import ProducerError
from producer.generate.events import SEEDED_SPACING_US, SEEDED_START, Events, RunSpec
from producer.generate.plan import Ratios
from producer.manifest import Header, Manifest, read_header, read_messages
from producer.options import Options, exact
from producer.send.batching import MAX_BYTES
from producer.send.rate_limiter import RateLimiter
from producer.send.run_stats import Failure, Progress, RunStats
from producer.send.target import Target
from producer.send.worker_pool import WorkerPool

# What Result.sent counts by.
KINDS = (*contract.SCHEMA["properties"]["event_type"]["enum"], "invalid", "duplicate")


@dataclass(frozen=True)
class Result:
    """What a run sent.

    ``sent`` counts accepted messages by kind: order, payment, activity, invalid, duplicate; ``large_orders``
    are among the orders. ``bytes`` are of message bodies. ``unsent`` messages were never tried, or given up
    when the run stopped; ``failed`` ones were tried until it made no more sense. ``error`` says what stopped
    the run, ``interrupted`` that a person did. ``sent_before`` counts messages that an earlier run had sent.
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
        """How many messages SQS accepted in this run."""
        return sum(self.sent.values())

    @property
    def events_per_second(self) -> float:
        """Accepted messages per second, from the first request to the last answer."""
        return self.sent_total / self.seconds if self.seconds else 0.0

    @property
    def complete(self) -> bool:
        """Whether every message of the run has been accepted."""
        return not self.failed and not self.unsent


def produce(
    options: Options, on_progress: Callable[[Progress], None] | None = None, session: Any = None
) -> Result:
    """Send a run of events and return what became of it. Ctrl-C ends it early, with ``interrupted`` set.

    ``on_progress`` is called five times a second; ``session`` is a botocore session with credentials,
    by default one with the environment's. Raises ProducerError when nothing could be begun.
    """
    now = datetime.now(UTC)
    seed = secrets.randbits(48) if options.seed is None else options.seed
    live = options.seed is None
    shares = Ratios(
        invalid=exact(options.invalid_ratio),
        duplicate=exact(options.duplicate_ratio),
        large=exact(options.large_ratio),
    )
    recipe = RunSpec(
        seed=seed,
        start=now if live else SEEDED_START,
        spacing_us=_live_spacing_us(options.rate, shares) if live else SEEDED_SPACING_US,
        target_bytes=options.target_bytes,
        shares=shares,
    )
    header = Header(
        run_id=f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
        seed=seed,
        queue_url=options.queue_url,
        started_at=now.isoformat(),
        arguments={
            "count": options.count,
            "batch_size": options.batch_size,
            "target_kb": options.target_kb,
            "rate": options.rate,
            "invalid_ratio": str(shares.invalid),
            "large_ratio": str(shares.large),
            "duplicate_ratio": str(shares.duplicate),
            "events_start": recipe.start.isoformat(),
            "events_spacing_us": recipe.spacing_us,
        },
    )
    target = _target(options, session)
    with _manifest(options.manifest, header) as manifest:
        return _go(options, header, recipe, target, manifest, bytearray(), on_progress)


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
    """Send what a run has not sent, from its manifest, and add to that manifest.

    Messages that the manifest names are not sent again. Where the run was killed rather than interrupted,
    requests on their way at that moment may have been accepted without a trace; those arrive once more, as
    duplicates. ``batch_size`` and ``rate`` are the run's own unless given; ``queue_url`` is only checked
    against the run's. Raises ProducerError.
    """
    with Manifest.reopen(manifest) as opened:
        header = read_header(manifest)
        if queue_url not in (None, header.queue_url):
            raise ProducerError(
                f"{manifest} is of a run to another queue, {header.queue_url}\n"
                f"Its rest belongs there too, not in {queue_url}"
            )
        try:
            options, recipe = _as_begun(manifest, header)
            done = bytearray(options.count)
            for message in read_messages(manifest):
                done[message["index"]] = 1
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ProducerError(f"{manifest} cannot be resumed, it is damaged: {error!r}") from None
        if batch_size is not None:
            options = replace(options, batch_size=batch_size)
        if rate is not None:
            options = replace(options, rate=rate)
        options = replace(options, endpoint_url=endpoint_url)
        target = _target(options, session)
        return _go(options, header, recipe, target, opened, done, on_progress)


def _as_begun(manifest: Path, header: Header) -> tuple[Options, RunSpec]:
    arguments = header.arguments
    shares = Ratios(
        invalid=Fraction(arguments["invalid_ratio"]),
        duplicate=Fraction(arguments["duplicate_ratio"]),
        large=Fraction(arguments["large_ratio"]),
    )
    options = Options(
        queue_url=header.queue_url,
        count=arguments["count"],
        batch_size=arguments["batch_size"],
        target_kb=arguments["target_kb"],
        rate=arguments["rate"],
        seed=header.seed,
        invalid_ratio=shares.invalid,
        large_ratio=shares.large,
        duplicate_ratio=shares.duplicate,
        manifest=manifest,
    )
    recipe = RunSpec(
        seed=header.seed,
        start=datetime.fromisoformat(arguments["events_start"]),
        spacing_us=arguments["events_spacing_us"],
        target_bytes=options.target_bytes,
        shares=shares,
    )
    return options, recipe


def _target(options: Options, session: Any) -> Target:
    return Target.find(options.queue_url, options.endpoint_url, session or botocore.session.Session())


def _go(
    options: Options,
    header: Header,
    recipe: RunSpec,
    target: Target,
    manifest: Manifest | None,
    done: bytearray,
    on_progress: Callable[[Progress], None] | None,
) -> Result:
    """Send the messages that ``done``, by number, does not say are sent already."""
    already_sent = done.count(1)
    total = options.count - already_sent
    pacer = RateLimiter(options.rate)
    fitting = options.batch_size
    if options.target_bytes:
        fitting = min(fitting, MAX_BYTES // options.target_bytes)
    tally = RunStats(manifest)
    crew = WorkerPool(
        target,
        Events(recipe),
        (number for number in range(options.count) if not done or not done[number]),
        pacer.largest_batch(fitting),
        pacer,
        tally,
    )
    began = time.monotonic()

    def look() -> None:
        if on_progress:
            on_progress(tally.progress(total, time.monotonic() - began))

    error = None
    interrupted = False
    try:
        interrupted = crew.work(look)
    except ProducerError as stopped:
        error = str(stopped)
    seconds = time.monotonic() - began
    unsent = total - tally.sent_total - len(tally.failures)
    if manifest and not unsent:
        manifest.complete(already_sent + tally.sent_total, [failure.identity for failure in tally.failures])
    return Result(
        run_id=header.run_id,
        seed=header.seed,
        queue_url=options.queue_url,
        manifest=manifest.path if manifest and (tally.sent_total or already_sent) else None,
        count=options.count,
        sent_before=already_sent,
        sent={kind: tally.sent[kind] for kind in KINDS},
        large_orders=tally.large_orders,
        bytes=tally.bytes,
        seconds=seconds,
        retries=tally.retries,
        failed=tally.failures,
        unsent=unsent,
        interrupted=interrupted,
        error=error,
    )


def _manifest(path: Path | None, header: Header) -> AbstractContextManager[Manifest | None]:
    if path is None:
        return nullcontext()
    return Manifest.create(path / f"{header.run_id}.jsonl" if path.is_dir() else path, header)


def _live_spacing_us(rate: float, shares: Ratios) -> int:
    # Events of a paced run occur about when they are sent; valid ones are as far apart as their share asks.
    valid = 1 - shares.invalid - shares.duplicate
    return round(1_000_000 / (rate * valid)) if rate and valid else 0
