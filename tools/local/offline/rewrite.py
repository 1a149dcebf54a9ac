"""Brings the text of ``terraform/`` down to provider 3.39.0.

What the list names is deleted where it stands. A block that needs more lines than it has goes to a file of
its own, with so many empty lines before it that it keeps its line numbers. The deleted expressions go to a
resource of Terraform's own, so that Terraform itself evaluates them.

Nothing is done by override files, short as that would be: in a resource that one touches, Terraform no longer
complains of arguments that the provider does not know.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tools.local import hcl
from tools.local.offline.provider import PROVIDER, REQUIREMENT, settings
from tools.local.offline.provider_gaps import API_CALL, PROVIDER_GAPS, UNREADABLE, ProviderGap, Unreadable

CARRIED = "provider_gaps"
CARRIER_FILE = "offline.tf"
REQUIREMENT_FILE = "offline_override.tf"

# What Terraform itself reads in a resource; everything else is the provider's.
META = {"count", "depends_on", "for_each", "lifecycle", "provider", "timeouts"}

Entry = ProviderGap | Unreadable


@dataclass(frozen=True)
class Rewritten:
    """The files of the config as the old provider takes them, and the entries that it took to get there."""

    files: dict[str, str]
    used: frozenset[Entry]


@dataclass(frozen=True)
class _Part:
    """A block of the config with the entries that concern it."""

    block: hcl.Block
    provider_gaps: tuple[ProviderGap, ...]
    unreadable: tuple[Unreadable, ...]

    @property
    def address(self) -> str:
        return ".".join(self.block.labels)

    @property
    def removed(self) -> bool:
        return any(entry.argument is None for entry in self.provider_gaps)

    @property
    def is_unreadable(self) -> bool:
        return any(entry.argument is None for entry in self.unreadable)

    @property
    def by_api(self) -> bool:
        return any(entry.instead == API_CALL for entry in self.provider_gaps)


def rewrite(
    files: Mapping[str, str],
    endpoint: str,
    provider_gaps: Sequence[ProviderGap] = PROVIDER_GAPS,
    unreadable: Sequence[Unreadable] = UNREADABLE,
    as_root: bool = True,
) -> Rewritten:
    """The config in ``files`` (text by file name) for provider 3.39.0, every call going to ``endpoint``.

    ``as_root``: with the emulator's root credentials rather than the environment's.

    Raises UnsupportedError naming the file and line of what cannot be parsed, or the block that cannot be
    brought down.
    """
    parts = {name: _parts(name, text, provider_gaps, unreadable) for name, text in files.items()}
    every = [part for found in parts.values() for part in found]
    if not any(_is_provider(part.block) for part in every):
        raise hcl.UnsupportedError(f'there is no provider "{PROVIDER}" block to send to the emulator')
    lost = [part.address for part in every if part.removed]

    result: dict[str, str] = {}
    for name, text in files.items():
        edits: list[hcl.Edit] = []
        for part in parts[name]:
            block_edits = [*_edits(part), *_waiting_for(lost, part, text)]
            added = settings(endpoint, as_root) if _is_provider(part.block) else _added(part)
            if added:
                own_file = f"{name.removesuffix('.tf')}.{part.address}.tf"
                if own_file in {*result, *files}:  # a second provider "aws", under an alias
                    raise hcl.UnsupportedError(f"{name} has {part.address} twice")
                result[own_file] = hcl.alone(text, part.block.span, block_edits, added)
                block_edits = [hcl.Edit(part.block.span)]
            edits += block_edits
        result[name] = hcl.edited(text, edits)
    result[REQUIREMENT_FILE] = REQUIREMENT
    result[CARRIER_FILE] = _carrier(every) + "".join(
        _definition(part) for part in every if part.is_unreadable
    )
    used: set[Entry] = set()
    for part in every:
        used.update(part.provider_gaps, part.unreadable)
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
        needed = (
            entry
            for entry in provider_gaps
            if entry.resource == kind
            and (entry.argument is None or entry.in_config or block.spans(entry.argument))
        )
        parts.append(
            _Part(block, tuple(needed), tuple(entry for entry in unreadable if entry.resource == kind))
        )
    return parts


def _is_provider(block: hcl.Block) -> bool:
    return block.kind == "provider" and block.labels == (PROVIDER,)


def _edits(part: _Part) -> list[hcl.Edit]:
    """What is deleted in the block, and what gets another value."""
    if part.removed:
        return [hcl.Edit(part.block.span)]
    return [
        hcl.Edit(span, f"{entry.argument} = {entry.in_config}" if entry.in_config else "")
        for entry in part.provider_gaps
        for span in part.block.spans(str(entry.argument))
    ]


def _waiting_for(lost: Iterable[str], part: _Part, text: str) -> list[hcl.Edit]:
    """The elements of a block's ``depends_on`` that name a resource which is no longer there, deleted."""
    depends_on = part.block.attribute("depends_on")
    if depends_on is None or part.removed:
        return []
    elements = (re.compile(rf"(?<![\w.]){re.escape(name)}(?![\w.-])(\[[^\]]*\])?\s*,?") for name in lost)
    return [
        hcl.Edit(found.span()) for element in elements for found in element.finditer(text, *depends_on.span)
    ]


def _added(part: _Part) -> list[str]:
    """The lines that the block needs and does not have."""
    narrowed = [entry for entry in part.provider_gaps if entry.in_config]
    unmanaged = [str(entry.argument) for entry in narrowed]
    unmanaged += [entry.argument for entry in part.unreadable if entry.argument]
    if part.is_unreadable:
        # A change of its definition in the config replaces it; what is read back does nothing.
        lifecycle = [
            "ignore_changes = all",
            f"replace_triggered_by = [terraform_data.{_definition_name(part)}{_same_instance(part)}]",
        ]
    elif unmanaged:
        lifecycle = [f"ignore_changes = [{', '.join(unmanaged)}]"]
    else:
        return []
    if part.block.spans("lifecycle"):
        raise hcl.UnsupportedError(f"{part.address} has a lifecycle block and needs another one here")
    missing = [entry for entry in narrowed if not part.block.spans(str(entry.argument))]
    return [*(f"{entry.argument} = {entry.in_config}" for entry in missing), "lifecycle {", *lifecycle, "}"]


def _same_instance(part: _Part) -> str:
    repeated = _repeated(part)
    return f"[{repeated.key}]" if repeated else ""


def _carrier(parts: Iterable[_Part]) -> str:
    """The expressions that were deleted, where Terraform evaluates them and keeps the values in its state."""
    needed = [part for part in parts if part.by_api]
    once = ", ".join(_carried(part) for part in needed if _repeated(part) is None)
    lists = [f"[{once}]", *(_carried(part) for part in needed if _repeated(part) is not None)]
    carried = lists[0] if len(lists) == 1 else f"concat({', '.join(lists)})"
    return f'resource "terraform_data" "{CARRIED}" {{\ninput = {carried}\n}}\n'


def _carried(part: _Part) -> str:
    """An object expression: the resource's type, its id, and the values that an API call is to set.

    Where the config may make several of it or none: a list of such objects.
    """
    evaluated = {
        entry.argument for entry in part.provider_gaps if entry.instead == API_CALL and entry.evaluated
    }
    values = part.block.only(lambda name: name not in META if part.removed else name in evaluated)
    repeated = _repeated(part)
    instance = f"{part.address}[{repeated.key}]" if repeated else part.address
    identity = "null" if part.removed else f"{instance}.id"
    carried = f'{{\ntype = "{part.block.labels[0]}"\nid = {identity}\nvalues = {hcl.as_object(values)}\n}}'
    return f"[for {repeated.name} in {repeated.instances} : {carried}]" if repeated else carried


@dataclass(frozen=True)
class _Repeated:
    """How a resource of several instances, or none, is written: by ``count`` or by ``for_each``."""

    name: str
    key: str
    # Objects as Terraform has them under the name ``count`` or ``each`` in the resource.
    instances: str


def _repeated(part: _Part) -> _Repeated | None:
    count, for_each = part.block.attribute("count"), part.block.attribute("for_each")
    if count is not None:
        instances = f"[for index in range({count.value}) : {{ index = index }}]"
        return _Repeated("count", "count.index", instances)
    if for_each is not None:
        instances = f"[for key, value in {for_each.value} : {{ key = key, value = value }}]"
        return _Repeated("each", "each.key", instances)
    return None


def _definition(part: _Part) -> str:
    """What the config says of a resource, as a resource of Terraform's own that changes when it does."""
    said = hcl.as_object(part.block.only(lambda name: name not in META))
    meta = part.block.only(lambda name: name in ("count", "for_each")).attributes
    repeated = "".join(f"{attribute.name} = {attribute.value}\n" for attribute in meta)
    return f'\nresource "terraform_data" "{_definition_name(part)}" {{\n{repeated}input = {said}\n}}\n'


def _definition_name(part: _Part) -> str:
    return "_".join(part.block.labels)
