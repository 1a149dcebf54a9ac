"""Rewrite the text of ``terraform/`` for provider 3.39.0.

Unsupported settings are deleted in place. A block that needs more lines moves to a file of its own, below as
many empty lines as keep its line numbers. A ``terraform_data`` resource receives the deleted expressions, so
that Terraform evaluates them. Override files would be shorter, but in a resource that one changes, Terraform
no longer reports arguments that the provider does not know.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tools.local import hcl
from tools.local.offline.provider import PROVIDER, REQUIREMENT, settings
from tools.local.offline.provider_gaps import API_CALL, PROVIDER_GAPS, UNREADABLE, ProviderGap, Unreadable

CARRIER = "provider_gaps"
CARRIER_FILE = "offline.tf"
REQUIREMENT_FILE = "offline_override.tf"

# Arguments that Terraform itself reads in a resource; the provider reads all others.
META = {"count", "depends_on", "for_each", "lifecycle", "provider", "timeouts"}

Entry = ProviderGap | Unreadable


@dataclass(frozen=True)
class Rewritten:
    """The config's files for the old provider, and the entries that they needed."""

    files: dict[str, str]
    used: frozenset[Entry]


@dataclass(frozen=True)
class _Part:
    """A block of the config with the entries that concern it."""

    block: hcl.Block
    gaps: tuple[ProviderGap, ...]
    unreadable: tuple[Unreadable, ...]

    @property
    def address(self) -> str:
        return ".".join(self.block.labels)

    @property
    def removed(self) -> bool:
        return any(gap.argument is None for gap in self.gaps)

    @property
    def is_unreadable(self) -> bool:
        return any(entry.argument is None for entry in self.unreadable)

    @property
    def needs_api_call(self) -> bool:
        return any(gap.instead == API_CALL for gap in self.gaps)


def rewrite(
    files: Mapping[str, str],
    endpoint: str,
    provider_gaps: Sequence[ProviderGap] = PROVIDER_GAPS,
    unreadable: Sequence[Unreadable] = UNREADABLE,
    as_root: bool = True,
) -> Rewritten:
    """Return the config in ``files`` (text by file name) for provider 3.39.0, with all calls to ``endpoint``.

    ``as_root`` says that the environment's credentials are the emulator's root. Raises UnsupportedError
    with the file and line of text that cannot be parsed, or with the block that cannot be rewritten.
    """
    parts = {name: _parts(name, text, provider_gaps, unreadable) for name, text in files.items()}
    all_parts = [part for file_parts in parts.values() for part in file_parts]
    if not any(_is_provider(part.block) for part in all_parts):
        raise hcl.UnsupportedError(f'there is no provider "{PROVIDER}" block to send to the emulator')
    removed = [part.address for part in all_parts if part.removed]

    result: dict[str, str] = {}
    for name, text in files.items():
        edits: list[hcl.Edit] = []
        for part in parts[name]:
            block_edits = [*_edits(part), *_dependency_edits(part, removed, text)]
            added = settings(endpoint, as_root) if _is_provider(part.block) else _added_lines(part)
            if added:
                own_file = f"{name.removesuffix('.tf')}.{part.address}.tf"
                if own_file in {*result, *files}:  # a second provider "aws", under an alias
                    raise hcl.UnsupportedError(f"{name} has {part.address} twice")
                result[own_file] = hcl.extract(text, part.block.range, block_edits, added)
                block_edits = [hcl.Edit(part.block.range)]
            edits += block_edits
        result[name] = hcl.apply_edits(text, edits)
    result[REQUIREMENT_FILE] = REQUIREMENT
    result[CARRIER_FILE] = _carrier(all_parts) + "".join(
        _definition(part) for part in all_parts if part.is_unreadable
    )
    used: set[Entry] = set()
    for part in all_parts:
        used.update(part.gaps, part.unreadable)
    return Rewritten(result, frozenset(used))


def _parts(
    name: str, text: str, provider_gaps: Sequence[ProviderGap], unreadable: Sequence[Unreadable]
) -> list[_Part]:
    try:
        blocks = hcl.parse(text)
    except hcl.UnsupportedError as error:
        raise hcl.UnsupportedError(f"{name}, {error}") from error
    parts = []
    for block in blocks:
        kind = block.labels[0] if block.kind == "resource" else None
        gaps = tuple(
            gap
            for gap in provider_gaps
            if gap.resource == kind and (gap.argument is None or gap.in_config or block.ranges(gap.argument))
        )
        parts.append(_Part(block, gaps, tuple(entry for entry in unreadable if entry.resource == kind)))
    return parts


def _is_provider(block: hcl.Block) -> bool:
    return block.kind == "provider" and block.labels == (PROVIDER,)


def _edits(part: _Part) -> list[hcl.Edit]:
    """Return the edits that delete or replace unsupported settings in the block."""
    if part.removed:
        return [hcl.Edit(part.block.range)]
    return [
        hcl.Edit(text_range, f"{gap.argument} = {gap.in_config}" if gap.in_config else "")
        for gap in part.gaps
        for text_range in part.block.ranges(str(gap.argument))
    ]


def _dependency_edits(part: _Part, removed: Iterable[str], text: str) -> list[hcl.Edit]:
    """Return the edits that delete removed resources from the block's ``depends_on``."""
    depends_on = part.block.attribute("depends_on")
    if depends_on is None or part.removed:
        return []
    elements = (re.compile(rf"(?<![\w.]){re.escape(name)}(?![\w.-])(\[[^\]]*\])?\s*,?") for name in removed)
    return [
        hcl.Edit(match.span()) for element in elements for match in element.finditer(text, *depends_on.range)
    ]


def _added_lines(part: _Part) -> list[str]:
    """Return the lines to add at the end of the block."""
    narrowed = [gap for gap in part.gaps if gap.in_config]
    ignored = [str(gap.argument) for gap in narrowed]
    ignored += [entry.argument for entry in part.unreadable if entry.argument]
    if part.is_unreadable:
        # Only a change of its definition in the config replaces the resource.
        lifecycle = [
            "ignore_changes = all",
            f"replace_triggered_by = [terraform_data.{_definition_name(part)}{_instance_key(part)}]",
        ]
    elif ignored:
        lifecycle = [f"ignore_changes = [{', '.join(ignored)}]"]
    else:
        return []
    if part.block.ranges("lifecycle"):
        raise hcl.UnsupportedError(f"{part.address} has a lifecycle block and needs another one here")
    missing = [gap for gap in narrowed if not part.block.ranges(str(gap.argument))]
    return [*(f"{gap.argument} = {gap.in_config}" for gap in missing), "lifecycle {", *lifecycle, "}"]


def _carrier(parts: Iterable[_Part]) -> str:
    """Return a resource whose state holds the values of the deleted expressions."""
    needed = [part for part in parts if part.needs_api_call]
    single = ", ".join(_carried(part) for part in needed if not _instances(part))
    lists = [f"[{single}]", *(_carried(part) for part in needed if _instances(part))]
    carried = lists[0] if len(lists) == 1 else f"concat({', '.join(lists)})"
    return f'resource "terraform_data" "{CARRIER}" {{\ninput = {carried}\n}}\n'


def _carried(part: _Part) -> str:
    """Return an object expression of the resource's type, its id and the values that an API call sets.

    For a resource with ``count`` or ``for_each``: a list of such objects.
    """
    by_api_call = {gap.argument for gap in part.gaps if gap.instead == API_CALL and gap.evaluated}
    values = part.block.filtered(lambda name: name not in META if part.removed else name in by_api_call)
    identity = "null" if part.removed else f"{part.address}{_instance_key(part)}.id"
    carried = f'{{\ntype = "{part.block.labels[0]}"\nid = {identity}\nvalues = {hcl.to_object(values)}\n}}'
    instances = _instances(part)
    return f"[for {instances[0]} in {instances[1]} : {carried}]" if instances else carried


def _instances(part: _Part) -> tuple[str, str] | None:
    """Return ``count`` or ``each`` and the list of its values, or None for a single instance."""
    count, for_each = part.block.attribute("count"), part.block.attribute("for_each")
    if count is not None:
        return "count", f"[for index in range({count.value}) : {{ index = index }}]"
    return None if for_each is None else ("each", hcl.pairs(for_each.value))


def _instance_key(part: _Part) -> str:
    instances = _instances(part)
    return {"count": "[count.index]", "each": "[each.key]"}[instances[0]] if instances else ""


def _definition(part: _Part) -> str:
    """Return a ``terraform_data`` resource that changes with the resource's definition in the config."""
    definition = hcl.to_object(part.block.filtered(lambda name: name not in META))
    meta = part.block.filtered(lambda name: name in ("count", "for_each")).attributes
    lines = "".join(f"{attribute.name} = {attribute.value}\n" for attribute in meta)
    return f'\nresource "terraform_data" "{_definition_name(part)}" {{\n{lines}input = {definition}\n}}\n'


def _definition_name(part: _Part) -> str:
    return "_".join(part.block.labels)
