"""Where things stand in a Terraform file, and how to change them without moving a line.

python-hcl2 can also write a file anew from what it read, but that corrupts escapes, heredocs in lists and
comparisons in nested objects. So positions are all that is taken from it: what is not changed stays exactly
as its author wrote it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import hcl2
from lark import Token, Tree
from lark.exceptions import LarkError

TextRange = tuple[int, int]


class UnsupportedError(Exception):
    """A file or construct that cannot be brought down; the message names it."""


@dataclass(frozen=True)
class Edit:
    """A part of a text and what comes in its place."""

    span: TextRange
    replacement: str = ""


@dataclass(frozen=True)
class Attribute:
    """``name = value`` inside a block. The span ends with the value, before any comment."""

    name: str
    span: TextRange
    value: str


@dataclass(frozen=True)
class Block:
    """``kind "label" "label" { ... }``, with what is directly inside it."""

    kind: str
    labels: tuple[str, ...]
    span: TextRange
    attributes: tuple[Attribute, ...]
    blocks: tuple["Block", ...]

    @property
    def name(self) -> str:
        """What the block is to its provider: ``dynamic "x"`` stands for ``x`` blocks."""
        return self.labels[0] if self.kind == "dynamic" else self.kind

    def attribute(self, name: str) -> Attribute | None:
        """The attribute of that name directly inside this block."""
        return next((attribute for attribute in self.attributes if attribute.name == name), None)

    def spans(self, name: str) -> list[TextRange]:
        """Where the attribute or the nested blocks of that name are; empty if there is none."""
        attributes = [attribute.span for attribute in self.attributes if attribute.name == name]
        return attributes + [block.span for block in self.blocks if block.name == name]

    def only(self, keep: Callable[[str], bool]) -> "Block":
        """This block with those of its attributes and nested blocks whose name is to be kept."""
        return replace(
            self,
            attributes=tuple(attribute for attribute in self.attributes if keep(attribute.name)),
            blocks=tuple(block for block in self.blocks if keep(block.name)),
        )


def parse(text: str) -> tuple[Block, ...]:
    """The blocks of a file.

    Raises UnsupportedError when it is not HCL.
    """
    try:
        tree = hcl2.parses_to_tree(text)
    except LarkError as error:
        raise UnsupportedError(f"line {getattr(error, 'line', '?')}: python-hcl2 cannot read this") from error
    (body,) = _trees(tree)
    return tuple(_block(child, text) for child in _trees(body) if child.data == "block")


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text with those parts replaced; their line breaks stay, so that no other line gets a new number."""
    kept = []
    position = 0
    for edit in sorted(edits, key=lambda edit: edit.span):
        start, end = edit.span
        kept += [text[position:start], edit.replacement, "\n" * text.count("\n", start, end)]
        position = end
    return "".join([*kept, text[position:]])


def alone(text: str, span: TextRange, edits: Iterable[Edit], added: Iterable[str]) -> str:
    """A file with nothing but the block in ``span``, on its own lines, with ``added`` lines at its end."""
    start, end = span
    brace = end - 1
    others = [Edit((0, start)), Edit((brace, len(text)))]
    if "\n" not in text[start:end]:  # HCL wants a block either on one line or with a line for each argument
        opening = text.index("{", start) + 1
        others.append(Edit((opening, opening), "\n"))
    return "\n".join([edited(text, [*others, *edits]).rstrip(), *added, "}", ""])


def as_object(block: Block) -> str:
    """What the block says as an HCL object expression: nested blocks become lists of objects.

    Raises UnsupportedError for a ``dynamic`` block that names an ``iterator`` or ``labels``.
    """
    fields = [f"{attribute.name} = {attribute.value}" for attribute in block.attributes]
    for name in dict.fromkeys(nested.name for nested in block.blocks):
        nested = [inner for inner in block.blocks if inner.name == name]
        written = [as_object(inner) for inner in nested if inner.kind != "dynamic"]
        lists = [f"[{', '.join(written)}]", *(_as_list(inner) for inner in nested if inner.kind == "dynamic")]
        fields.append(f"{name} = {lists[0]}" if len(lists) == 1 else f"{name} = concat({', '.join(lists)})")
    return "{\n" + "\n".join(fields) + "\n}"


def _as_list(dynamic: Block) -> str:
    """The list that a ``dynamic`` block stands for. Its content speaks of ``name.key`` and ``name.value``."""
    for_each, (content,) = dynamic.attribute("for_each"), dynamic.blocks
    if for_each is None or len(dynamic.attributes) > 1:
        raise UnsupportedError(f'dynamic "{dynamic.name}" has more than for_each and content')
    each = f"[for key, value in {for_each.value} : {{ key = key, value = value }}]"
    return f"[for {dynamic.name} in {each} : {as_object(content)}]"


def _block(tree: Tree[Token], text: str) -> Block:
    *head, body = (child for child in _trees(tree) if child.data != "new_line_or_comment")
    kind, *labels = (_text(part, text).strip('"') for part in head)
    inside = list(_trees(body))
    return Block(
        kind,
        tuple(labels),
        _span(tree),
        tuple(_attribute(child, text) for child in inside if child.data == "attribute"),
        tuple(_block(child, text) for child in inside if child.data == "block"),
    )


def _attribute(tree: Tree[Token], text: str) -> Attribute:
    name, value = _trees(tree)
    return Attribute(_text(name, text), _span(tree), _text(value, text))


def _trees(tree: Tree[Token]) -> Iterator[Tree[Token]]:
    return (child for child in tree.children if isinstance(child, Tree))


def _span(tree: Tree[Token]) -> TextRange:
    return tree.meta.start_pos, tree.meta.end_pos


def _text(tree: Tree[Token], text: str) -> str:
    return text[slice(*_span(tree))]
