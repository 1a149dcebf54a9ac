"""Files on this machine: manifests of runs, copies of archive objects, the report."""

import fcntl
import html
import json
from collections.abc import Callable
from pathlib import Path

from tools.core.archive_objects import DamagedObject
from tools.core.paths import REPORT_PAGE
from tools.ops.erase.archive import read_content
from tools.ops.erase.lines import PREFIXES
from tools.ops.erase.search import Search, Trace
from tools.ops.payloads import fetcher


class ManifestLines:
    """Lines of run manifests. They keep the message id and lose the event_id and the hash of the body."""

    title = "manifest lines"

    def __init__(self, search: Search) -> None:
        self._search = search
        self._directory = search.resources.state_dir / "manifests"

    def find(self) -> int:
        """Find the lines. Return their number."""
        count = 0
        for path in sorted(self._directory.glob("*.jsonl")):
            with path.open("rb") as file:
                own = [trace for line in file if (trace := self._trace(line)) is not None]
            count += self._search.add(own)
        return count

    def erase(self) -> None:
        """Write the manifests again. One that a producer is writing is left, and reported."""
        for path in sorted(self._directory.glob("*.jsonl")):
            with path.open("rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    self._search.problems[f"{path}: a producer is writing it"] = None
                    continue
                lines = list(file)
                cleared = [line if self._trace(line) is None else _cleared(line) for line in lines]
                if cleared != lines:
                    temporary = path.with_name(f".{path.name}.new")
                    temporary.write_bytes(b"".join(cleared))
                    temporary.replace(path)

    def _trace(self, line: bytes) -> Trace | None:
        try:
            members = json.loads(line)
            trace = Trace(str(members["message_id"]), str(members["content_hash"]))
        except (KeyError, RecursionError, TypeError, ValueError):
            return None
        search = self._search
        is_own = (
            trace.content_hash in search.content_hashes
            or search.is_known(trace.message_id)
            or search.customer.in_text(line.decode("utf-8", "replace"))
        )
        # A rejected message's event_id may be that of another's event.
        return Trace(trace.message_id) if is_own and trace.content_hash else None


def _cleared(line: bytes) -> bytes:
    members = json.loads(line)
    members |= {"event_id": None, "event_type": None, "content_hash": "", "large_order": False}
    return json.dumps(members, separators=(",", ":")).encode() + b"\n"


class _Files:
    """Files that are removed whole."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._found: list[Path] = []

    def erase(self) -> None:
        """Delete the files."""
        for path in self._found:
            path.unlink(missing_ok=True)


class QueryCache(_Files):
    """Objects of the archive that `make query` has downloaded. It downloads them again."""

    title = "cached objects"

    def find(self) -> int:
        """Find the files with lines of the customer. Return their number."""
        fetch = fetcher(self._search.resources)
        directory = self._search.resources.query_cache / self._search.resources.archive_bucket
        # A file of an interrupted download has another suffix.
        for prefix in PREFIXES if self._search.resources.archive_bucket else ():
            for path in sorted((directory / prefix).rglob("*.*")):
                if path.is_file() and self._has_lines(path, prefix, fetch):
                    self._found.append(path)
        return len(self._found)

    def _has_lines(self, path: Path, prefix: str, fetch: Callable[[str], bytes]) -> bool:
        try:
            return bool(read_content(self._search, prefix, path.read_bytes(), fetch).own)
        except DamagedObject:
            return True


class ReportPage(_Files):
    """The page of `make report`, if it has the id anywhere."""

    title = "reports"

    def find(self) -> int:
        """Find the page. Return 1 or 0."""
        if REPORT_PAGE.is_file():
            text = html.unescape(REPORT_PAGE.read_text(encoding="utf-8", errors="replace"))
            if self._search.customer.in_text(text):
                self._found.append(REPORT_PAGE)
        return len(self._found)
