"""Find and read the producer's manifest that `make verify` compares with the pipeline."""

from __future__ import annotations

from pathlib import Path

from producer.errors import ProducerError
from producer.manifest import SentRun, read_run
from tools.core.errors import ToolError, UsageError
from tools.core.resources import Resources, queue_name
from tools.ops.erasures import message_ids, without_erased


def load(resources: Resources, manifest: str | None) -> SentRun | None:
    """Return the run that MANIFEST= names, see `find`, or None if there is none to compare.

    Without MANIFEST, a latest run of another pipeline is ignored. Raises ToolError.
    """
    path = find(resources, manifest)
    if path is None:
        return None
    try:
        run = read_run(path)
    except ProducerError as error:
        raise ToolError(str(error)) from None
    if queue_name(run.queue_url) == resources.queue_name:
        return without_erased(run, message_ids(resources))
    if manifest is None:
        return None
    raise UsageError(
        f"Run {run.run_id} was sent to {run.queue_url}, not to this pipeline's queue, {resources.queue_url}.",
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
