"""What a run generates: from its options, into its manifest, and back."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

from producer.errors import ProducerError, UsageError
from producer.generate.events import SEEDED_SPACING_US, SEEDED_START, RunSpec
from producer.generate.journeys import count_events
from producer.generate.plan import Plan, Ratios
from producer.generate.profiles import DAY, PROFILES
from producer.manifest import Header
from producer.options import Options, exact
from producer.own_events import Check

# Bytes of message n changed with it: a manifest of an older generator cannot be resumed.
_GENERATOR = 2
# The contract allows 5 minutes; clocks differ.
_FUTURE = timedelta(minutes=4)


def plan_run(options: Options, seed: int, now: datetime) -> RunSpec:
    """Return what a new run generates. Raises UsageError if it would lie in the future."""
    ratios = Ratios(
        invalid=exact(options.invalid_ratio),
        duplicate=exact(options.duplicate_ratio),
        large=exact(options.large_ratio),
    )
    count = options.count
    if options.sessions:
        count = Plan(ratios, bytes(32)).count_for(count_events(seed, options.sessions))
    hours = PROFILES[options.profile].hours
    span_ms = hours * 3_600_000
    if is_paced(options):
        span_ms = round(count / options.rate * 1_000)
    start = options.start or (SEEDED_START if options.seed is not None else None)
    if start is None:
        # Events that are sent as they occur begin now, others end now.
        start = now if is_paced(options) else now - timedelta(milliseconds=span_ms)
    elif start + timedelta(milliseconds=0 if is_paced(options) else span_ms) > now + _FUTURE:
        span = f" and its {hours} hours end" if hours else " is"
        raise UsageError(
            f"--start {start.isoformat()}{span} in the future, which the contract refuses.\n"
            "Give an earlier start, or none."
        )
    spacing_us = 0 if span_ms else SEEDED_SPACING_US if options.seed is not None else _spacing_us(options)
    return RunSpec(
        seed=seed,
        start=start,
        spacing_us=spacing_us,
        target_bytes=options.target_bytes,
        ratios=ratios,
        sessions=options.sessions,
        profile=options.profile,
        span_ms=span_ms,
        count=count,
    )


def is_paced(options: Options) -> bool:
    """Return whether the profile decides when events are sent, and not only when they occurred."""
    return bool(options.rate and PROFILES[options.profile].hours and options.profile != DAY)


def to_arguments(options: Options, spec: RunSpec) -> dict[str, Any]:
    """Return a run of generated events as its manifest keeps it."""
    return {
        "generator": _GENERATOR,
        "count": spec.count,
        "sessions": spec.sessions,
        "batch_size": options.batch_size,
        "target_kb": options.target_kb,
        "rate": options.rate,
        "profile": spec.profile,
        "invalid_ratio": str(spec.ratios.invalid),
        "large_ratio": str(spec.ratios.large),
        "duplicate_ratio": str(spec.ratios.duplicate),
        "events_start": spec.start.isoformat(),
        "events_spacing_us": spec.spacing_us,
        "events_span_ms": spec.span_ms,
    }


def to_file_arguments(options: Options, check: Check | None) -> dict[str, Any]:
    """Return a run of the user's own events as its manifest keeps it. Standard input has no check."""
    return {
        "from": str(options.from_file if check is None else Path(str(options.from_file)).resolve()),
        "refused": options.refused,
        "batch_size": options.batch_size,
        "rate": options.rate,
        "lines": check.lines if check else None,
        "digest": check.digest if check else None,
    }


def from_arguments(manifest: Path, header: Header) -> tuple[Options, RunSpec | None]:
    """Return the options of a run, and what it generates, or None if it sends the user's own events.

    Raises KeyError, TypeError or ValueError if the manifest is damaged, ProducerError if it is too old.
    """
    arguments = header.arguments
    common: dict[str, Any] = {
        "queue_url": header.queue_url,
        "batch_size": arguments["batch_size"],
        "rate": arguments["rate"],
        "manifest": manifest,
    }
    if "from" in arguments:
        return Options(**common, from_file=Path(arguments["from"]), refused=arguments["refused"]), None
    if arguments.get("generator") != _GENERATOR:
        raise ProducerError(
            f"{manifest} is of another version of the producer, which generated other events.\n"
            "Start a new run without --resume."
        )
    options = Options(
        **common,
        count=arguments["count"],
        target_kb=arguments["target_kb"],
        seed=header.seed,
        invalid_ratio=Fraction(arguments["invalid_ratio"]),
        large_ratio=Fraction(arguments["large_ratio"]),
        duplicate_ratio=Fraction(arguments["duplicate_ratio"]),
        profile=arguments["profile"],
    )
    spec = RunSpec(
        seed=header.seed,
        start=datetime.fromisoformat(arguments["events_start"]),
        spacing_us=arguments["events_spacing_us"],
        target_bytes=options.target_bytes,
        ratios=Ratios(
            exact(options.invalid_ratio), exact(options.duplicate_ratio), exact(options.large_ratio)
        ),
        sessions=arguments["sessions"],
        profile=options.profile,
        span_ms=arguments["events_span_ms"],
        count=options.count,
    )
    return options, spec


def parse_start(text: str) -> datetime:
    """Return the start of a run: a day or a time, UTC unless it says otherwise. Raises ValueError."""
    start = datetime.fromisoformat(text)
    return start if start.tzinfo else start.replace(tzinfo=UTC)


def _spacing_us(options: Options) -> int:
    # Events of a run with a rate occur at about the time at which they are sent.
    valid = 1 - exact(options.invalid_ratio) - exact(options.duplicate_ratio)
    return round(1_000_000 / (options.rate * valid)) if options.rate and valid else 0
