"""Lines of text for panels: labels with figures, in columns, each no longer than there is room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from dashboards.values import Absent, Value
from dashboards.view.frame import cut

LABEL = "dim"
VALUE = "bold"


@dataclass(frozen=True, slots=True)
class Entry:
    """A label and its figure as text. ``reason`` says why there is no figure."""

    label: str
    value: str
    style: str = VALUE
    reason: str = ""


def entry(label: str, figure: Value, text: str, style: str = VALUE) -> Entry:
    """An entry of a figure whose text is already made."""
    if isinstance(figure, Absent):
        return Entry(label, text, LABEL, figure.reason)
    return Entry(label, text, style)


def fitted(text: str, width: int) -> str:
    """Text of exactly so many cells: cut off with an ellipsis, or padded."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, max(0, width - 1)) + "…" if width > 0 else ""


def row(item: Entry, width: int, label_width: int) -> Text:
    """One entry on a line of its own, its label padded; the reason for an absent figure as far as it fits."""
    line = Text().append(f"{item.label:<{label_width}} ", LABEL).append(item.value, item.style)
    if item.reason:
        line.append(f" {item.reason}", LABEL)
    return cut(line, width)


def several(entries: Sequence[Entry], width: int) -> Text:
    """Entries one after the other on a line, as far apart as there is room. Equal reasons are given once."""
    cells = []
    for number, item in enumerate(entries):
        cell = Text().append(f"{item.label} ", LABEL).append(item.value, item.style)
        following = entries[number + 1].reason if number + 1 < len(entries) else ""
        if item.reason and item.reason != following:
            cell.append(f" {item.reason}", LABEL)
        cells.append(cell)
    room = width - sum(cell.cell_len for cell in cells)
    between = " " * max(1, min(3, room // max(1, len(cells) - 1)))
    return cut(Text(between).join(cells), width)


def tiles(entries: Sequence[Entry], width: int) -> list[Text]:
    """Figures side by side with their labels beneath; in two rows of them where one does not fit."""
    least = [max(cell_len(item.label), cell_len(item.value)) + 1 for item in entries]
    if sum(least) > width and len(entries) > 3:
        half = len(entries) // 2
        return [*tiles(entries[:half], width), *tiles(entries[half:], width)]
    values, labels = Text(), Text()
    spare, left = divmod(max(0, width - sum(least)), max(1, len(entries)))
    for number, (item, needed) in enumerate(zip(entries, least, strict=True)):
        wide = needed + spare + (number < left)
        values.append(fitted(item.value, wide), item.style)
        labels.append(fitted(item.label, wide), LABEL)
    return [cut(values, width), cut(labels, width)]
