"""Summarise a Terraform plan in a few lines."""

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
# Resources that hold events or messages.
HOLDS_DATA = ("aws_dynamodb_table", "aws_s3_bucket", "aws_sqs_queue")
_MARKS = {ADDED: "+", CHANGED: "~", REPLACED: "!", DESTROYED: "-"}


@dataclass(frozen=True)
class Change:
    """A resource that a plan would change, and the changed arguments."""

    kind: str
    address: str
    type: str
    arguments: tuple[str, ...] = ()

    @property
    def loses_data(self) -> bool:
        """Whether the change deletes stored data."""
        return self.kind in (REPLACED, DESTROYED) and self.type in HOLDS_DATA


def changes(plan: Mapping[str, Any], section: str = "resource_changes") -> list[Change]:
    """Return the changes in a plan, the output of ``terraform show -json``.

    ``section`` is ``resource_changes``, or ``resource_drift`` for changes outside of Terraform.
    """
    result = []
    for entry in plan.get(section, []):
        kind = _KINDS.get(tuple(entry["change"]["actions"]))
        # The offline provider stores values in terraform_data, which is no resource of the account.
        if kind is not None and entry["type"] != "terraform_data":
            arguments = _changed_arguments(kind, entry["change"])
            result.append(Change(kind, entry["address"], entry["type"], arguments))
    return result


def summary(planned: list[Change]) -> list[Text]:
    """Return the changes for a terminal: their counts, lost data in red, and one line for each resource."""
    counts = [f"{sum(change.kind == kind for change in planned)} {kind}" for kind in _MARKS]
    lines = [safe_text(", ".join(counts), "bold")]
    for lost in (change for change in planned if change.loses_data):
        text = f"DATA IS LOST: {lost.address} is {lost.kind}, with all its content"
        lines.append(safe_text(text, "bold red"))
    # New resources are listed by type, because the config describes them.
    new = Counter(change.type for change in planned if change.kind == ADDED)
    lines += [safe_text(f"  {_MARKS[ADDED]} {count} {type_}") for type_, count in new.items()]
    for kind in (CHANGED, REPLACED, DESTROYED):
        for change in (change for change in planned if change.kind == kind):
            arguments = f" ({', '.join(change.arguments)})" if change.arguments else ""
            style = "" if kind == CHANGED else "red"
            lines.append(safe_text(f"  {_MARKS[kind]} {change.address}{arguments}", style))
    return lines


def _changed_arguments(kind: str, change: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the arguments that cause the change or replacement of a resource."""
    if kind == REPLACED:
        return tuple(sorted({str(path[0]) for path in change.get("replace_paths", [])}))
    if kind != CHANGED:
        return ()
    before, after, unknown = (change.get(name) or {} for name in ("before", "after", "after_unknown"))
    differing = {name for name in after if before.get(name) != after[name]}
    return tuple(sorted({*differing, *(name for name, value in unknown.items() if value is True)}))
