"""Find and read the producer's manifest that `make verify` compares with the pipeline."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from producer.errors import ProducerError
from producer.manifest import SentMessage, SentRun, read_header, read_run
from tools.core.errors import ToolError, UsageError
from tools.core.resources import Resources, queue_name
from tools.ops.erasures import message_ids, without_erased

# A line has some 260 bytes.
_PART_BYTES = 20_000 * 260


@dataclass(frozen=True)
class Share:
    """A share of the work of several machines: the second of three is ``Share(2, 3)``."""

    number: int = 1
    of: int = 1

    @property
    def index(self) -> int:
        """Return the number counted from 0."""
        return self.number - 1


class ManifestParts:
    """A manifest, read in parts of some 20,000 messages, so that memory does not grow with the run.

    All messages of an event are in one part. Iterating again reads the file again.
    """

    def __init__(self, path: Path, share: Share = Share(), erased: frozenset[str] = frozenset()) -> None:
        self.path = path
        self._share = share
        self._erased = erased

    def __iter__(self) -> Iterator[SentRun]:
        try:
            parts = 1 + self.path.stat().st_size // _PART_BYTES
            for part in range(parts):
                run = read_run(
                    self.path,
                    partial(_is_in, self._share.index + self._share.of * part, self._share.of * parts),
                )
                yield without_erased(run, self._erased)
        except OSError as error:
            raise ToolError(f"The manifest {self.path} cannot be read: {error.strerror}") from None
        except ProducerError as error:
            raise ToolError(str(error)) from None


def _is_in(part: int, parts: int, message: SentMessage) -> bool:
    name = message.event_id or message.content_hash
    return zlib.crc32(name.encode(errors="replace")) % parts == part


def load(resources: Resources, manifest: str | None, share: Share = Share()) -> ManifestParts | None:
    """Return the run that MANIFEST= names, see `find`, or None if there is none to compare.

    Without MANIFEST, a latest run of another pipeline is ignored. Raises ToolError.
    """
    path = find(resources, manifest)
    if path is None:
        return None
    try:
        header = read_header(path)
    except ProducerError as error:
        raise ToolError(str(error)) from None
    if queue_name(header.queue_url) == resources.queue_name:
        return ManifestParts(path, share, message_ids(resources))
    if manifest is None:
        return None
    raise UsageError(
        f"Run {header.run_id} was sent to {header.queue_url}, not to this pipeline's queue, "
        f"{resources.queue_url}.",
        "To verify the pipeline without a run: MANIFEST=none",
    )


def find(resources: Resources, manifest: str | None) -> Path | None:
    """Return the path of a manifest: a given path, or the latest one for ``latest`` and None.

    Returns None for ``none``, and for None if this stack has no manifests. Raises ToolError if ``latest``
    does not exist.
    """
    if manifest == "none":
        return None
    if manifest not in (None, "latest"):
        return Path(manifest)
    directory = resources.state_dir / "manifests"
    written = [(path.stat(), path) for path in directory.glob("*.jsonl")]
    # A producer that starts has created its manifest and not yet written the first line.
    paths = {path: status.st_mtime_ns for status, path in written if status.st_size}
    if paths:
        return max(paths, key=lambda path: paths[path])
    if manifest is None:
        return None
    raise ToolError(f"There is no manifest in {directory}.", "Write one: make send, or make demo")
