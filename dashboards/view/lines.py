"""Format lines of panels: labels with values, in columns, each cut off at the width."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from dashboards.values import DASH, Absent, Value, format_count
from dashboards.view.frame import truncate

# Plain: dim text can hardly be read on Solarized (tools/core/console.py).
LABEL = ""
VALUE = "bold"
ERROR = "bold red"


@dataclass(frozen=True, slots=True)
class Entry:
    """A label with its value as text. ``reason`` explains an absent value."""

    label: str
    text: str
    style: str = VALUE
    reason: str = ""

    @classmethod
    def format(cls, label: str, value: Value, formatter: Callable[[float], str], style: str = VALUE) -> Self:
        """Return the entry of a value: formatted, or the dash with the reason if it is absent."""
        if isinstance(value, Absent):
            return cls(label, DASH, LABEL, value.reason)
        return cls(label, formatter(value), style)

    @classmethod
    def format_error_count(cls, label: str, value: Value, style: str = VALUE) -> Self:
        """Return the entry of a count that should be zero. A higher count is marked."""
        if isinstance(value, Absent) or value == 0:
            return cls.format(label, value, format_count, style)
        return cls(label, f"▲ {format_count(value)}", ERROR)

    def line(self, width: int, label_width: int) -> Text:
        """Draw the entry on a line, its label padded. The reason of an absent value follows if it fits."""
        line = Text().append(f"{self.label:<{label_width}} ", LABEL).append(self.text, self.style)
        if self.reason:
            line.append(f" {self.reason}", LABEL)
        return truncate(line, width)


def fit(text: str, width: int) -> str:
    """Pad text to a width, or cut it off there with an ellipsis."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, max(0, width - 1)) + "…" if width > 0 else ""


def entries_line(entries: Sequence[Entry], width: int) -> Text:
    """Draw several entries on a line, spread over the width. Equal reasons in sequence appear once."""
    cells = []
    for number, entry in enumerate(entries):
        cell = Text().append(f"{entry.label} ", LABEL).append(entry.text, entry.style)
        next_reason = entries[number + 1].reason if number + 1 < len(entries) else ""
        if entry.reason and entry.reason != next_reason:
            cell.append(f" {entry.reason}", LABEL)
        cells.append(cell)
    room = width - sum(cell.cell_len for cell in cells)
    separator = " " * max(1, min(3, room // max(1, len(cells) - 1)))
    return truncate(Text(separator).join(cells), width)


def entry_tiles(entries: Sequence[Entry], width: int) -> list[Text]:
    """Draw values side by side with their labels below, in two rows if one is too narrow."""
    min_widths = [max(cell_len(entry.label), cell_len(entry.text)) + 1 for entry in entries]
    if sum(min_widths) > width and len(entries) > 3:
        half = len(entries) // 2
        return [*entry_tiles(entries[:half], width), *entry_tiles(entries[half:], width)]
    values, labels = Text(), Text()
    spare, remainder = divmod(max(0, width - sum(min_widths)), max(1, len(entries)))
    for number, (entry, min_width) in enumerate(zip(entries, min_widths, strict=True)):
        tile_width = min_width + spare + (number < remainder)
        values.append(fit(entry.text, tile_width), entry.style)
        labels.append(fit(entry.label, tile_width), LABEL)
    return [truncate(values, width), truncate(labels, width)]
