"""Search lines of the archive for an id, within bounds: it has no index."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from archiver.lines import DUPLICATES, EVENTS, REJECTED
from tools.core import archive_objects
from tools.core.archive_objects import DamagedObject
from tools.core.archive_range import PREFIXES, ArchiveRange
from tools.core.resources import Resources

# Compressed bytes of one search, the newest objects first. Athena searches more where it is stored.
MAX_BYTES = 256 * 1024 * 1024
_THREADS = 8
Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Archived:
    """A line that was found: its table, its fields, the event that it contains, and its object."""

    table: str
    fields: Fields
    event: Fields
    key: str
    written_at: datetime


@dataclass
class Search:
    """A search in a range of the archive. ``unread`` counts objects beyond the bound or damaged."""

    resources: Resources
    selected: ArchiveRange
    unread: int = 0
    _hours: list[str] = field(default_factory=list)
    _listed: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def including(self, moment: datetime | None) -> Self:
        """Return a search that also reads the hour of a time."""
        if moment is None or self.selected.since <= moment < self.selected.until:
            return self
        self._hours.append(f"dt={moment:%Y-%m-%d}/hour={moment:%H}/")
        return self

    def find(
        self,
        text: str,
        matches: Callable[[Archived], bool],
        tables: Sequence[str] = (EVENTS, REJECTED, DUPLICATES),
    ) -> list[Archived]:
        """Return the lines of these tables that contain a text as JSON, and match."""
        needles = {json.dumps(text, ensure_ascii=each).encode("utf-8", "replace") for each in (True, False)}
        partitions = [*self.selected.partitions(), *self._hours]
        prefixes = [prefix for prefix in PREFIXES if prefix.partition("/")[0] in tables]
        listed = (entry for prefix in prefixes for hour in partitions for entry in self._list(prefix + hour))
        # A listing of everything has the searched hours a second time.
        unique = {entry["Key"]: entry for entry in listed if self._is_selected(entry["Key"])}
        entries = sorted(unique.values(), key=lambda entry: entry["LastModified"], reverse=True)
        chosen, size = [], 0
        for entry in entries:
            size += entry["Size"]
            if size <= MAX_BYTES:
                chosen.append(entry)
        self.unread += len(entries) - len(chosen)
        with ThreadPoolExecutor(_THREADS) as pool:
            pages = pool.map(lambda entry: list(self._read(entry, needles)), chosen)
            return [found for page in pages for found in page if matches(found)]

    def _is_selected(self, key: str) -> bool:
        return self.selected.has_key(key) or any(hour in key for hour in self._hours)

    def _list(self, prefix: str) -> list[dict[str, Any]]:
        if prefix not in self._listed:
            s3, bucket = self.resources.client("s3"), self.resources.archive_bucket
            self._listed[prefix] = list(archive_objects.listed(s3, bucket, prefix))
        return self._listed[prefix]

    def _read(self, entry: Mapping[str, Any], needles: set[bytes]) -> Iterator[Archived]:
        key = entry["Key"]
        try:
            data = archive_objects.read(self.resources.client("s3"), self.resources.archive_bucket, key)
            for line in archive_objects.lines(data):
                if any(needle in line for needle in needles):
                    fields = _parse(line)
                    event = fields.get("event")
                    yield Archived(
                        key.partition("/")[0],
                        fields,
                        event if isinstance(event, dict) else {},
                        key,
                        entry["LastModified"],
                    )
        except DamagedObject:
            self.unread += 1


def _parse(line: bytes) -> Fields:
    """Return the fields of a line. Numbers stay text, so that they keep their digits."""
    try:
        fields = json.loads(line, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}
