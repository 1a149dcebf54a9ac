"""The rejected table: which events are in it, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from storage.keys import shard_keys
from tools.core import tables
from tools.core.indexes import NEWEST_REJECTED, newest_first
from tools.core.resources import Resources
from tools.core.tables import Item


@dataclass(frozen=True, slots=True)
class Reason:
    """One broken rule: where, which, and in plain words."""

    path: str
    rule: str
    reason: str

    @classmethod
    def of(cls, entry: dict[str, Any]) -> Reason:
        """Read one element of an item's list of reasons."""
        return cls(*(tables.text(entry["M"], name) or "" for name in ("path", "rule", "reason")))

    def __str__(self) -> str:
        return f"{self.path} {self.reason}"


@dataclass(frozen=True)
class Rejection:
    """What the index says of a rejected event.

    ``summary`` tells the first reasons, ``rules`` are those that were broken, ``violations`` counts them all.
    """

    message_id: str
    rejected_at: str
    kind: str
    event_id: str | None
    event_type: str | None
    summary: str
    rules: frozenset[str]
    violations: int

    @classmethod
    def of(cls, item: Item) -> Rejection:
        """Read an entry of the index, or an item of the table."""
        kind = tables.text(item, "kind") or ""
        return cls(
            message_id=item["message_id"]["S"],
            rejected_at=tables.text(item, "rejected_at") or "",
            kind=kind,
            event_id=tables.text(item, "event_id"),
            event_type=tables.text(item, "event_type"),
            summary=tables.text(item, "summary") or kind,
            rules=frozenset(item.get("rules", {}).get("SS", ())),
            violations=tables.number(item, "violation_count"),
        )

    def mentions(self, words: str) -> bool:
        """Whether the kind, a broken rule or the summary contains these words, in whatever case."""
        wanted = words.casefold()
        return any(wanted in text.casefold() for text in (self.kind, self.summary, *self.rules))


def newest(resources: Resources, reason: str | None = None, page: int | None = None) -> Iterator[Rejection]:
    """The rejected events, newest first, or those of them that mention a reason.

    ``page`` is how many entries of each of the index's partitions to ask for at a time.
    """
    found = (Rejection.of(item) for item in _entries(resources, page=page))
    return (rejection for rejection in found if reason is None or rejection.mentions(reason))


def find(resources: Resources, *, some_id: str | None = None, reason: str | None = None) -> list[Rejection]:
    """All of `newest`, or those of one message id or event_id."""
    if some_id is None:
        return list(newest(resources, reason))
    item = whole_item(resources, some_id)
    items = [item] if item else _entries(resources, where={"event_id": {"S": some_id}})
    return [found for found in map(Rejection.of, items) if reason is None or found.mentions(reason)]


def whole_item(resources: Resources, message_id: str) -> Item | None:
    """A rejected item with its reasons and its payload; None when it is not there (any more)."""
    answer = resources.client("dynamodb").get_item(
        TableName=resources.rejected_table_name, Key={"message_id": {"S": message_id}}, ConsistentRead=True
    )
    item: Item | None = answer.get("Item")
    return item


def reasons_of(item: Item) -> list[Reason]:
    """The reasons that a rejected item lists."""
    return [Reason.of(entry) for entry in item.get("reasons", {}).get("L", ())]


def still_there(resources: Resources, message_ids: list[str]) -> set[str]:
    """Which of these are (still) in the rejected table."""
    return tables.existing(
        resources.client("dynamodb"), resources.rejected_table_name, "message_id", message_ids
    )


def _entries(
    resources: Resources, *, where: dict[str, dict[str, Any]] | None = None, page: int | None = None
) -> Iterator[Item]:
    return newest_first(
        resources.client("dynamodb"),
        resources.rejected_table_name,
        NEWEST_REJECTED,
        shard_keys("rejected"),
        where=where,
        page=page,
    )
