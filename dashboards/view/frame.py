"""Panels side by side and one below the other, as lines of text.

rich's own Panel and Layout draw the same, but render everything two or three times to measure it, which once
a second is most of what the program would take of a core.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions
from rich.segment import Segment
from rich.text import Text

from dashboards.view.charset import Glyphs

# A panel's borders and padding, in columns.
BORDERS = 4


class Frame:
    """Lines that rich prints as they are: each must fit the width."""

    def __init__(self, lines: Sequence[Text]) -> None:
        self.lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        """rich's protocol: the lines' segments, with a line break between them."""
        for number, line in enumerate(self.lines):
            if number:
                yield Segment.line()
            yield from line.render(console)


def panel(
    title: Text, below: Text, lines: Sequence[Text], size: tuple[int, int], border: str, glyphs: Glyphs
) -> list[Text]:
    """A panel of a width and height: a title in its upper border, a remark in the lower, lines between."""
    width, height = size
    inner = width - BORDERS
    upper, lower, across = glyphs.corners[:2], glyphs.corners[2:], glyphs.across
    title, below = cut(title, inner - 2), cut(below, inner - 2)
    # Corners and sides are pieces of their own, so that they stay in place in a picture whatever its font.
    top = Text().append(f"{upper[0]}{across} ", border).append_text(title)
    top.append(f" {across * (inner - 1 - title.cell_len)}", border).append(upper[1], border)
    bottom = Text().append(f"{lower[0]}{across * (inner - 1 - below.cell_len)} ", border).append_text(below)
    bottom.append(f" {across}", border).append(lower[1], border)
    drawn = [top]
    for number in range(height - 2):
        line = cut(lines[number], inner) if number < len(lines) else Text()
        row = Text().append(f"{glyphs.side} ", border).append_text(line)
        drawn.append(row.append(" " * (inner - line.cell_len + 1)).append(glyphs.side, border))
    return [glyphs.of(line) for line in [*drawn, bottom]]


def beside(panels: Sequence[Sequence[Text]]) -> list[Text]:
    """Panels of one height side by side."""
    first, *others = panels
    rows = list(first)
    for other in others:
        for row, more in zip(rows, other, strict=True):
            row.append_text(more)
    return rows


def cut(text: Text, width: int) -> Text:
    """Text of no more than so many cells, with an ellipsis where something is missing."""
    text.truncate(max(0, width), overflow="ellipsis")
    return text
