"""Read rejected events and the reasons for their rejection."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from storage import attributes, keys
from storage.attributes import EVENT_ID, MESSAGE_ID, number, text, texts
from tools.core import tables
from tools.core.indexes import NEWEST_REJECTED, newest_first
from tools.core.resources import Resources
from tools.core.tables import Item


@dataclass(frozen=True, slots=True)
class Reason:
    """A violated rule: the path in the event, the rule and a message."""

    path: str
    rule: str
    reason: str

    @classmethod
    def from_element(cls, element: dict[str, Any]) -> Self:
        """Read an element of an item's list of reasons."""
        members = element.get("M")
        members = members if isinstance(members, dict) else {}
        return cls(*(text(members, name) or "" for name in ("path", "rule", "reason")))

    def __str__(self) -> str:
        return f"{self.path} {self.reason}"


@dataclass(frozen=True)
class Rejection:
    """The index entry of a rejected event.

    ``reasons`` has the first reasons, ``rules`` the violated rules, ``violations`` the number of reasons.
    """

    message_id: str
    rejected_at: str
    kind: str
    event_id: str | None
    event_type: str | None
    reasons: tuple[str, ...]
    rules: frozenset[str]
    violations: int

    @classmethod
    def from_item(cls, item: Item) -> Self:
        """Read an entry of the index, or an item of the table."""
        kind = text(item, "kind") or ""
        return cls(
            message_id=item[MESSAGE_ID]["S"],
            rejected_at=text(item, "rejected_at") or "",
            kind=kind,
            event_id=text(item, EVENT_ID),
            event_type=text(item, "event_type"),
            reasons=tuple(texts(item, attributes.SUMMARY) or [kind]),
            rules=frozenset(item.get(attributes.RULES, {}).get("SS") or ()),
            violations=number(item, "violation_count"),
        )

    @property
    def summary(self) -> str:
        """Return the first reasons as one text."""
        return "; ".join(self.reasons)

    def mentions(self, words: str) -> bool:
        """Return whether the kind, a violated rule or the summary contains these words, ignoring case."""
        words = words.casefold()
        return any(words in each.casefold() for each in (self.kind, self.summary, *self.rules))


def newest(resources: Resources, reason: str | None = None, page: int | None = None) -> Iterator[Rejection]:
    """Yield the rejected events, newest first; with ``reason``, only those that mention it.

    ``page`` is the number of entries of each partition in one query.
    """
    rejections = map(Rejection.from_item, _entries(resources, page=page))
    return (rejection for rejection in rejections if reason is None or rejection.mentions(reason))


def find(resources: Resources, *, any_id: str | None = None, reason: str | None = None) -> list[Rejection]:
    """Return all of `newest`, or those with a message id or an event_id."""
    if any_id is None:
        return list(newest(resources, reason))
    item = get_item(resources, any_id)
    items = [item] if item else _entries(resources, where={EVENT_ID: {"S": any_id}})
    rejections = map(Rejection.from_item, items)
    return [rejection for rejection in rejections if reason is None or rejection.mentions(reason)]


def get_item(resources: Resources, message_id: str) -> Item | None:
    """Return a rejected item with its reasons and its payload, or None if it does not exist."""
    return tables.get_item(
        resources.client("dynamodb"), resources.rejected_table_name, MESSAGE_ID, message_id
    )


def reasons_of(item: Item) -> list[Reason]:
    """Return the reasons that a rejected item lists."""
    return [Reason.from_element(element) for element in item.get("reasons", {}).get("L") or ()]


def still_rejected(resources: Resources, message_ids: list[str]) -> set[str]:
    """Return those message ids that are in the rejected table."""
    return tables.existing_keys(
        resources.client("dynamodb"), resources.rejected_table_name, MESSAGE_ID, message_ids
    )


def _entries(
    resources: Resources, *, where: dict[str, dict[str, Any]] | None = None, page: int | None = None
) -> Iterator[Item]:
    return newest_first(
        resources.client("dynamodb"),
        resources.rejected_table_name,
        NEWEST_REJECTED,
        keys.shard_keys(keys.REJECTED),
        where=where,
        page=page,
    )
