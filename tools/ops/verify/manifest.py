"""Find and read the producer's manifest that `make verify` compares with the pipeline."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from operator import attrgetter
from pathlib import Path

from producer.errors import ProducerError
from producer.manifest import SentMessage, SentRun, read_header, read_run
from tools.core.disk import DiskMap
from tools.core.errors import ToolError, UsageError
from tools.core.resources import Resources, queue_name
from tools.ops.erasures import message_ids, without_erased
from tools.ops.share import WHOLE, Share, part_of

# A line has some 260 bytes.
_PART_BYTES = 20_000 * 260
_ADDED = 1_000
_FIELDS = ("message_id", "event_id", "event_type", "content_hash", "expect", "large_order")
_values = attrgetter(*_FIELDS)


class ManifestParts:
    """A manifest, in parts of some 20,000 messages, so that memory does not grow with the run.

    All messages of an event are in one part. Iterating again reads the file again unless it is
    complete and no message failed, and asks ``erased`` again for the message ids that were erased.
    """

    def __init__(
        self, path: Path, share: Share = WHOLE, erased: Callable[[], frozenset[str]] = frozenset
    ) -> None:
        self.path = path
        self._share = share
        self._erased = erased
        self._complete: tuple[SentRun, int, DiskMap] | None = None

    def __iter__(self) -> Iterator[SentRun]:
        erased = self._erased()
        run, parts, messages = read = self._complete or self._read()
        if run.complete and not run.failed and not run.running:
            self._complete = read
        for part in range(self._share.index, parts, self._share.of):
            found = tuple(SentMessage(*json.loads(row)) for row in messages.values(str(part)))
            yield without_erased(replace(run, messages=found), erased)

    def _read(self) -> tuple[SentRun, int, DiskMap]:
        """Read the file. Return the run without messages, the number of parts, and the messages by part."""
        try:
            size = self.path.stat().st_size
            parts = self._share.of * (1 + size // _PART_BYTES)
            messages = DiskMap()
            read: list[tuple[str, str]] = []

            def keep(message: SentMessage) -> bool:
                part = part_of(message.event_id or message.content_hash, parts)
                if part % self._share.of == self._share.index:
                    read.append((str(part), json.dumps(_values(message))))
                if len(read) == _ADDED:
                    messages.add_all(read)
                    read.clear()
                return False

            run = read_run(self.path, keep)
            messages.add_all(read)
            return run, parts, messages
        except OSError as error:
            raise ToolError(f"The manifest {self.path} cannot be read: {error.strerror}") from None
        except ProducerError as error:
            raise ToolError(str(error)) from None


def load(resources: Resources, manifest: str | None, share: Share = WHOLE) -> ManifestParts | None:
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
        return ManifestParts(path, share, lambda: message_ids(resources))
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
