"""The options of a run, checked before anything is sent."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from urllib.parse import urlsplit

from producer.errors import UsageError
from producer.generate.events import MIN_TARGET_BYTES
from producer.generate.profiles import PROFILES, STEADY
from producer.own_events import REFUSED, STOP
from producer.send.batching import MAX_BYTES, MAX_ENTRIES

KB = 1024


@dataclass(frozen=True)
class Options:
    """What to send, to which queue, and at what rate. Raises UsageError if an option is invalid.

    ``target_kb`` (1 KB is 1,024 bytes) is the size of every message body, 0 for natural sizes of about 1 KB.
    ``rate`` is events per second, 0 for as fast as the queue accepts them. The ratios are 0 to 1: invalid and
    duplicate of all messages, large of the valid orders. Without ``seed`` every run has different events.
    Without ``endpoint_url`` messages go to the queue URL's host. ``manifest`` is a new file, or a directory
    for a file named after the run; without it the run writes none.

    ``sessions`` instead of ``count`` sends that many whole visits of shoppers. ``profile`` (`PROFILES`) says
    how the events are spread over their time, which begins at ``start``. ``from_file`` sends the lines of
    that file instead of generated events; ``refused`` (`REFUSED`) says what happens with invalid ones.
    """

    queue_url: str
    count: int = 0
    batch_size: int = MAX_ENTRIES
    target_kb: float = 0
    rate: float = 0
    seed: int | None = None
    invalid_ratio: Fraction | float = 0
    large_ratio: Fraction | float = 0.05
    duplicate_ratio: Fraction | float = 0
    endpoint_url: str | None = None
    manifest: Path | None = None
    sessions: int = 0
    profile: str = STEADY
    start: datetime | None = None
    from_file: Path | None = None
    refused: str = STOP

    def __post_init__(self) -> None:
        _check_url("--queue-url", self.queue_url, "http://127.0.0.1:4566/000000000000/NAME")
        if not urlsplit(self.queue_url).path.strip("/"):
            raise UsageError(f"--queue-url {self.queue_url} names no queue; it must end in /ACCOUNT/NAME.")
        if self.endpoint_url:
            _check_url("--endpoint-url", self.endpoint_url, "http://127.0.0.1:4566")
        if self.from_file is None:
            self._check_amount()
        if not 1 <= self.batch_size <= MAX_ENTRIES:
            raise UsageError(
                f"--batch-size is {self.batch_size}; SQS accepts 1 to {MAX_ENTRIES} messages in a request, "
                f"for example --batch-size {MAX_ENTRIES}."
            )
        if self.target_kb and not MIN_TARGET_BYTES <= self.target_bytes <= MAX_BYTES:
            raise UsageError(
                f"--target-kb is {self.target_kb:g}; it must be {MIN_TARGET_BYTES // KB} to "
                f"{MAX_BYTES // KB}, SQS's limit for a message, or 0 for natural sizes of about 1 KB."
            )
        if not (math.isfinite(self.rate) and self.rate >= 0):
            raise UsageError(
                f"--rate is {self.rate:g}; it must be 0 (as fast as possible) or more, for example --rate 50."
            )
        if self.seed is not None and self.seed < 0:
            raise UsageError(f"--seed is {self.seed}; it must be 0 or more, for example --seed 7.")
        _check_choice("--profile", self.profile, PROFILES)
        _check_choice("--refused", self.refused, REFUSED)
        self._check_ratios()

    @property
    def target_bytes(self) -> int:
        """The size of every message body in bytes, 0 for natural sizes."""
        return round(self.target_kb * KB) if math.isfinite(self.target_kb) else -1

    def _check_amount(self) -> None:
        if self.count < 0 or (self.count < 1 and not self.sessions):
            raise UsageError(f"--count is {self.count}; it must be 1 or more, for example --count 1000.")
        if self.sessions < 0 or (self.sessions and self.invalid_ratio >= 1):
            raise UsageError(
                f"--sessions is {self.sessions}; it must be 1 or more, with an --invalid-ratio below 1, "
                "for example --sessions 200."
            )

    def _check_ratios(self) -> None:
        for name in ("invalid_ratio", "large_ratio", "duplicate_ratio"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise UsageError(
                    f"--{name.replace('_', '-')} is {float(value):g}; it must be 0 to 1, for example 0.05."
                )
        if self.duplicate_ratio and exact(self.invalid_ratio) + exact(self.duplicate_ratio) >= 1:
            raise UsageError(
                "--invalid-ratio and --duplicate-ratio add up to 1 or more, so that no valid event remains "
                "to copy. Lower one of them."
            )


def exact(ratio: Fraction | float) -> Fraction:
    """Return a ratio exactly as written: 0.05 is a twentieth, not the nearest binary float."""
    return Fraction(str(ratio))


def _check_choice(option: str, value: str, choices: Iterable[str]) -> None:
    if value not in choices:
        raise UsageError(f"{option} is {value}; it must be one of {', '.join(choices)}.")


def _check_url(option: str, url: str, example: str) -> None:
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise UsageError(f"{option} {url!r} is not an http or https URL; use a URL such as {example}.")
