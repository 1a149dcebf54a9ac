"""What a run of the producer says that it has sent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from producer.errors import ProducerError
from producer.manifest import read_completion, read_header, read_messages
from tools.core.errors import OpsError, UsageError
from tools.core.resources import Resources

EXPECTED = ("stored", "duplicate", "rejected")


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that SQS took. ``expect`` is one of `EXPECTED`."""

    message_id: str
    event_id: str | None
    event_type: str | None
    content_hash: str
    expect: str
    large_order: bool


@dataclass(frozen=True)
class Manifest:
    """A run: what was sent, what could not be sent, and whether the run came to its end."""

    run_id: str
    queue_url: str
    sent: tuple[Sent, ...]
    failed: int
    complete: bool

    @property
    def queue_name(self) -> str:
        """The last part of the URL of the queue that was sent to."""
        return self.queue_url.rstrip("/").rsplit("/", 1)[-1]


def read(path: Path) -> Manifest:
    """Read a manifest; what a killed producer has left unfinished is passed over. Raises OpsError."""
    try:
        header = read_header(path)
        sent = tuple(_sent(line) for line in read_messages(path))
        end = read_completion(path)
    except ProducerError as error:
        raise OpsError(str(error)) from None
    except (KeyError, TypeError, ValueError) as error:
        raise OpsError(f"{path} is damaged ({type(error).__name__}: {error}).") from None
    return Manifest(
        run_id=header.run_id,
        queue_url=header.queue_url,
        sent=sent,
        failed=len(end["failed"]) if end else 0,
        complete=end is not None,
    )


def choose(resources: Resources, wanted: str | None) -> Path | None:
    """The manifest that MANIFEST= means: a path, ``latest`` or ``none``.

    Without MANIFEST it is the latest one, if this stack's producer has left any. Raises OpsError when
    ``latest`` is asked for and there is none.
    """
    if wanted == "none":
        return None
    if wanted not in (None, "latest"):
        return Path(wanted)
    directory = resources.state_dir / "manifests"
    paths = sorted(directory.glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns)
    if paths:
        return paths[-1]
    if wanted is None:
        return None
    raise OpsError(f"There is no manifest in {directory}.", "make send and make demo write one.")


def check_target(manifest: Manifest, resources: Resources) -> None:
    """Raises UsageError when the run went to another queue than this pipeline's."""
    if manifest.queue_name != resources.queue_name:
        raise UsageError(
            f"Run {manifest.run_id} was sent to {manifest.queue_url}, not to this pipeline's queue, "
            f"{resources.queue_url}.",
            "MANIFEST=none checks the pipeline without a run.",
        )


def _sent(entry: dict[str, Any]) -> Sent:
    if entry["expect"] not in EXPECTED:
        raise ValueError(f"it expects {entry['expect']!r}")
    return Sent(
        message_id=entry["message_id"],
        event_id=entry["event_id"],
        event_type=entry["event_type"],
        content_hash=entry["content_hash"],
        expect=entry["expect"],
        large_order=entry["large_order"],
    )
