"""What a plan would do, in as few lines as that takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from tools.core.console import safe_text

ADDED, CHANGED, REPLACED, DESTROYED = "added", "changed", "replaced", "destroyed"
_KINDS = {
    ("create",): ADDED,
    ("update",): CHANGED,
    ("delete",): DESTROYED,
    ("delete", "create"): REPLACED,
    ("create", "delete"): REPLACED,
}
# What somebody would miss: it holds events, or somebody's messages are on their way through it.
HOLDS_DATA = ("aws_dynamodb_table", "aws_s3_bucket", "aws_sqs_queue")
_MARKS = {ADDED: "+", CHANGED: "~", REPLACED: "!", DESTROYED: "-"}


@dataclass(frozen=True)
class Change:
    """A resource that a plan would change, and which of its arguments."""

    kind: str
    address: str
    type: str
    arguments: tuple[str, ...] = ()

    @property
    def loses_data(self) -> bool:
        """Whether what it holds is gone afterwards."""
        return self.kind in (REPLACED, DESTROYED) and self.type in HOLDS_DATA


def changes(plan: Mapping[str, Any], section: str = "resource_changes") -> list[Change]:
    """The changes in a plan as ``terraform show -json`` gives it.

    ``section`` is ``resource_changes`` or ``resource_drift``, what has changed outside of Terraform.
    """
    found = []
    for entry in plan.get(section, []):
        kind = _KINDS.get(tuple(entry["change"]["actions"]))
        # Terraform's own terraform_data is how the offline path carries values; it is nothing in the account.
        if kind is not None and entry["type"] != "terraform_data":
            because = _because(kind, entry["change"])
            found.append(Change(kind, entry["address"], entry["type"], because))
    return found


def summary(found: list[Change]) -> list[Text]:
    """The changes for a terminal: how many, what is lost in red, then one line for each resource."""
    counts = [f"{sum(change.kind == kind for change in found)} {kind}" for kind in _MARKS]
    lines = [safe_text(", ".join(counts), "bold")]
    lost = [change for change in found if change.loses_data]
    for change in lost:
        lines.append(
            safe_text(f"DATA IS LOST: {change.address} is {change.kind}, with all that it holds", "bold red")
        )
    for kind, mark in _MARKS.items():
        style = "red" if kind in (REPLACED, DESTROYED) else ""
        of_kind = [change for change in found if change.kind == kind]
        # What is new can be read in the config; what goes or changes is what somebody has to see.
        lines += [
            safe_text(f"  {mark} {line}", style) for line in (_by_type if kind == ADDED else _each)(of_kind)
        ]
    return lines


def _by_type(found: list[Change]) -> list[str]:
    return [f"{count} {type_}" for type_, count in Counter(change.type for change in found).items()]


def _each(found: list[Change]) -> list[str]:
    return [
        change.address + (f" ({', '.join(change.arguments)})" if change.arguments else "") for change in found
    ]


def _because(kind: str, change: Mapping[str, Any]) -> tuple[str, ...]:
    """The arguments that a resource is changed or replaced for."""
    if kind == REPLACED:
        return tuple(sorted({str(path[0]) for path in change.get("replace_paths", [])}))
    if kind != CHANGED:
        return ()
    before, after, unknown = (change.get(name) or {} for name in ("before", "after", "after_unknown"))
    differing = {name for name in after if before.get(name) != after[name]}
    return tuple(sorted({*differing, *(name for name, value in unknown.items() if value is True)}))
