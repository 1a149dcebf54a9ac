"""The rejected table: which events are in it, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ops import tables
from ops.bodies import ATTRIBUTES as PAYLOAD
from ops.resources import Resources
from ops.tables import Item

_SUMMARY = (
    "message_id",
    "rejected_at",
    "received_at",
    "kind",
    "event_id",
    "event_type",
    "reasons",
    "violation_count",
    "content_hash",
    "payload_bytes",
)


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
    """A rejected event without its body. ``violations`` counts also those that are not listed."""

    message_id: str
    rejected_at: str
    received_at: str
    kind: str
    event_id: str | None
    event_type: str | None
    reasons: tuple[Reason, ...]
    violations: int
    content_hash: str
    body_bytes: int

    @classmethod
    def of(cls, item: Item) -> Rejection:
        """Read an item of the rejected table."""
        listed = item.get("reasons", {}).get("L", [])
        return cls(
            message_id=item["message_id"]["S"],
            rejected_at=tables.text(item, "rejected_at") or "",
            received_at=tables.text(item, "received_at") or "",
            kind=tables.text(item, "kind") or "",
            event_id=tables.text(item, "event_id"),
            event_type=tables.text(item, "event_type"),
            reasons=tuple(Reason.of(entry) for entry in listed),
            violations=tables.number(item, "violation_count"),
            content_hash=tables.text(item, "content_hash") or "",
            body_bytes=tables.number(item, "payload_bytes"),
        )

    def mentions(self, words: str) -> bool:
        """Whether the kind, or a reason's path, rule or text contains these words, in whatever case."""
        wanted = words.casefold()
        texts = [self.kind, *(text for r in self.reasons for text in (r.rule, str(r)))]
        return any(wanted in text.casefold() for text in texts)


def find(resources: Resources, *, some_id: str | None = None, reason: str | None = None) -> list[Rejection]:
    """The rejected events, newest first: all, those of one message id or event_id, those for a reason."""
    found = _all(resources) if some_id is None else _by_id(resources, some_id)
    if reason:
        found = [rejection for rejection in found if rejection.mentions(reason)]
    return sorted(found, key=lambda rejection: (rejection.rejected_at, rejection.message_id), reverse=True)


def whole_item(resources: Resources, message_id: str) -> Item | None:
    """A rejected item with its payload; None when it is not there (any more)."""
    answer = resources.client("dynamodb").get_item(
        TableName=resources.rejected_table_name,
        Key={"message_id": {"S": message_id}},
        ProjectionExpression=", ".join(PAYLOAD),
        ConsistentRead=True,
    )
    item: Item | None = answer.get("Item")
    return item


def still_there(resources: Resources, message_ids: list[str]) -> set[str]:
    """Which of these are (still) in the rejected table."""
    return tables.existing(
        resources.client("dynamodb"), resources.rejected_table_name, "message_id", message_ids
    )


def _all(resources: Resources, where: dict[str, Any] | None = None) -> list[Rejection]:
    # There is no index by time: rejected events are few, and a Scan of their summaries is read in pages.
    pages = tables.scan(
        resources.client("dynamodb"),
        resources.rejected_table_name,
        _SUMMARY,
        lambda items: [Rejection.of(item) for item in items],
        where,
    )
    return [rejection for page in pages for rejection in page]


def _by_id(resources: Resources, some_id: str) -> list[Rejection]:
    return _all(
        resources,
        {
            "FilterExpression": "message_id = :id OR event_id = :id",
            "ExpressionAttributeValues": {":id": {"S": some_id}},
        },
    )
