"""Put panels side by side and below each other, as lines of text.

rich's Panel and Layout draw the same but render everything two or three times, which costs too much CPU once
a second.
"""

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions
from rich.segment import Segment
from rich.text import Text

# Columns that a panel's borders and padding need.
BORDERS = 4


class Frame:
    """Lines that rich prints unchanged. Each must fit the width."""

    def __init__(self, lines: Sequence[Text]) -> None:
        self.lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        """Yield the lines' segments with line breaks between them, as rich's protocol asks for."""
        for number, line in enumerate(self.lines):
            if number:
                yield Segment.line()
            yield from line.render(console)


def draw_panel(
    title: Text, footer: Text, lines: Sequence[Text], size: tuple[int, int], border: str
) -> list[Text]:
    """Draw a panel of a width and height: the title in the upper border, the footer in the lower one."""
    width, height = size
    inner = width - BORDERS
    title, footer = truncate(title, inner - 2), truncate(footer, inner - 2)
    # Corners and sides are separate spans, so that they stay in place in an SVG with any font.
    top = Text().append("╭─ ", border).append_text(title)
    top.append(f" {'─' * (inner - 1 - title.cell_len)}", border).append("╮", border)
    bottom = Text().append(f"╰{'─' * (inner - 1 - footer.cell_len)} ", border)
    bottom.append_text(footer).append(" ─", border).append("╯", border)
    rows = [top]
    for number in range(height - 2):
        line = truncate(lines[number], inner) if number < len(lines) else Text()
        row = Text().append("│ ", border).append_text(line)
        rows.append(row.append(" " * (inner - line.cell_len + 1)).append("│", border))
    return [*rows, bottom]


def join_side_by_side(panels: Sequence[Sequence[Text]]) -> list[Text]:
    """Join panels of the same height, from left to right."""
    first, *others = panels
    rows = list(first)
    for other in others:
        for row, addition in zip(rows, other, strict=True):
            row.append_text(addition)
    return rows


def truncate(text: Text, width: int) -> Text:
    """Cut text off at a width, with an ellipsis."""
    text.truncate(max(0, width), overflow="ellipsis")
    return text
