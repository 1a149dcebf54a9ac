"""Read Terraform files, and edit them without moving a line.

python-hcl2 can also write a file that it read, but its output corrupts escapes, heredocs in lists and
comparisons in nested objects. So an edit uses only its positions, and all other text stays as the author
wrote it.
"""

import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.core.files import write_atomically
from tools.core.paths import CACHE_DIR

if TYPE_CHECKING:
    from lark import Token, Tree

TextRange = tuple[int, int]


class UnsupportedError(Exception):
    """A file or construct cannot be read or rewritten; the message names it."""


@dataclass(frozen=True)
class Edit:
    """A range of a text and its replacement."""

    range: TextRange
    replacement: str = ""


@dataclass(frozen=True)
class Attribute:
    """``name = value`` inside a block. The range ends with the value, before any comment."""

    name: str
    range: TextRange
    value: str


@dataclass(frozen=True)
class Block:
    """``kind "label" "label" { ... }`` with its direct attributes and nested blocks."""

    kind: str
    labels: tuple[str, ...]
    range: TextRange
    attributes: tuple[Attribute, ...]
    blocks: tuple["Block", ...]

    @property
    def name(self) -> str:
        """The block's name for its provider: ``dynamic "x"`` generates ``x`` blocks."""
        return self.labels[0] if self.kind == "dynamic" else self.kind

    def attribute(self, name: str) -> Attribute | None:
        """Return the direct attribute of that name, or None."""
        return next((attribute for attribute in self.attributes if attribute.name == name), None)

    def ranges(self, name: str) -> list[TextRange]:
        """Return the ranges of the attribute and nested blocks of that name."""
        attributes = [attribute.range for attribute in self.attributes if attribute.name == name]
        return attributes + [block.range for block in self.blocks if block.name == name]

    def filtered(self, keep: Callable[[str], bool]) -> "Block":
        """Return this block with the attributes and nested blocks whose name ``keep`` accepts."""
        return replace(
            self,
            attributes=tuple(attribute for attribute in self.attributes if keep(attribute.name)),
            blocks=tuple(block for block in self.blocks if keep(block.name)),
        )


def load(text: str) -> dict[str, Any]:
    """Return a file as data: literals as plain values, other expressions as text in ``${}``.

    Raises UnsupportedError if the text is not HCL.
    """
    data: dict[str, Any] = _remembered(_load, text)
    return data


@functools.lru_cache(maxsize=64)
def parse(text: str) -> tuple[Block, ...]:
    """Return the blocks of a file with their positions. Raises UnsupportedError if the text is not HCL."""
    return tuple(map(_from_data, _remembered(_parse, text)))


def _remembered(read: Callable[[str], Any], text: str) -> Any:
    """Return what ``read`` makes of a text, from a file if an earlier process has read it.

    python-hcl2 takes 2 seconds for this project's config.
    """
    reader = f"{version('python-hcl2')} {read.__name__}"
    digest = hashlib.sha256(Path(__file__).read_bytes() + f"{reader} {text}".encode()).hexdigest()
    path = CACHE_DIR / "hcl" / f"{digest}.json"
    with suppress(OSError, ValueError):
        return json.loads(path.read_text(encoding="utf-8"))
    from lark.exceptions import LarkError

    try:
        data = read(text)
    except LarkError as error:
        message = f"line {getattr(error, 'line', '?')}: python-hcl2 cannot read this"
        raise UnsupportedError(message) from error
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(data))
    return data


def _load(text: str) -> dict[str, Any]:
    import hcl2

    options = hcl2.SerializationOptions(strip_string_quotes=True, with_comments=False)
    return dict(hcl2.loads(text, serialization_options=options))


def _parse(text: str) -> list[dict[str, Any]]:
    import hcl2

    (body,) = _trees(hcl2.parses_to_tree(text))
    return [asdict(_block(child, text)) for child in _trees(body) if child.data == "block"]


def _from_data(block: dict[str, Any]) -> Block:
    return Block(
        block["kind"],
        tuple(block["labels"]),
        tuple(block["range"]),
        tuple(Attribute(each["name"], tuple(each["range"]), each["value"]) for each in block["attributes"]),
        tuple(map(_from_data, block["blocks"])),
    )


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Replace ranges of a text. Their line breaks stay, so that every other line keeps its number."""
    parts = []
    position = 0
    for edit in sorted(edits, key=lambda edit: edit.range):
        start, end = edit.range
        parts += [text[position:start], edit.replacement, "\n" * text.count("\n", start, end)]
        position = end
    return "".join([*parts, text[position:]])


def extract(text: str, block: TextRange, edits: Iterable[Edit], added: Iterable[str]) -> str:
    """Return a file that holds one block on its own line numbers, with the ``added`` lines at its end."""
    start, end = block
    brace = end - 1
    others = [Edit((0, start)), Edit((brace, len(text)))]
    if "\n" not in text[start:end]:  # HCL allows no line break in a block that begins on one line
        opening = text.index("{", start) + 1
        others.append(Edit((opening, opening), "\n"))
    return "\n".join([apply_edits(text, [*others, *edits]).rstrip(), *added, "}", ""])


def to_object(block: Block) -> str:
    """Return a block as an HCL object expression. Nested blocks become lists of objects.

    Raises UnsupportedError for a ``dynamic`` block that has an ``iterator`` or ``labels``.
    """
    fields = [f"{attribute.name} = {attribute.value}" for attribute in block.attributes]
    for name in dict.fromkeys(nested.name for nested in block.blocks):
        nested = [inner for inner in block.blocks if inner.name == name]
        literal = [to_object(inner) for inner in nested if inner.kind != "dynamic"]
        lists = [f"[{', '.join(literal)}]", *(_to_list(inner) for inner in nested if inner.kind == "dynamic")]
        fields.append(f"{name} = {lists[0]}" if len(lists) == 1 else f"{name} = concat({', '.join(lists)})")
    return "{\n" + "\n".join(fields) + "\n}"


def _to_list(dynamic: Block) -> str:
    """Return the list that a ``dynamic`` block generates."""
    for_each, (content,) = dynamic.attribute("for_each"), dynamic.blocks
    if for_each is None or len(dynamic.attributes) > 1:
        raise UnsupportedError(f'dynamic "{dynamic.name}" has more than for_each and content')
    return f"[for {dynamic.name} in {pairs(for_each.value)} : {to_object(content)}]"


def pairs(collection: str) -> str:
    """Return a list expression of the collection's keys and values, as ``for_each`` passes them on."""
    return f"[for key, value in {collection} : {{ key = key, value = value }}]"


def _block(tree: "Tree[Token]", text: str) -> Block:
    *head, body = (child for child in _trees(tree) if child.data != "new_line_or_comment")
    kind, *labels = (_text(part, text).strip('"') for part in head)
    inside = list(_trees(body))
    return Block(
        kind,
        tuple(labels),
        _range(tree),
        tuple(_attribute(child, text) for child in inside if child.data == "attribute"),
        tuple(_block(child, text) for child in inside if child.data == "block"),
    )


def _attribute(tree: "Tree[Token]", text: str) -> Attribute:
    name, value = _trees(tree)
    return Attribute(_text(name, text), _range(tree), _text(value, text))


def _trees(tree: "Tree[Token]") -> "Iterator[Tree[Token]]":
    from lark import Tree

    return (child for child in tree.children if isinstance(child, Tree))


def _range(tree: "Tree[Token]") -> TextRange:
    return tree.meta.start_pos, tree.meta.end_pos


def _text(tree: "Tree[Token]", text: str) -> str:
    return text[slice(*_range(tree))]
