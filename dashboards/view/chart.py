"""Charts of characters: columns of numbers as bars, where a number that is not known leaves a gap."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dashboards.view.charset import Glyphs

Column = float | None


def nice_ceiling(value: float) -> float:
    """The least of 1, 2, 3, 4, 5, 6, 8, 10, 20, ... that is not below a value, so that scales hold still."""
    if value <= 1:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * step for step in (1, 2, 3, 4, 5, 6, 8, 10) if value <= power * step)


def bars(columns: Sequence[Column], rows: int, ceiling: float, glyphs: Glyphs) -> list[str]:
    """Bars of some rows' height, the topmost row first. A bar of ``ceiling`` is full."""
    parts = len(glyphs.bars)
    heights = [_height(column, rows * parts, ceiling) for column in columns]
    lines = []
    for row in reversed(range(rows)):
        cells = []
        for height in heights:
            if height is None:
                cells.append(" ")
                continue
            filled = height - row * parts
            if filled > 0:
                cells.append(glyphs.bars[min(filled, parts) - 1])
            else:
                cells.append(glyphs.none if row == 0 else " ")
        lines.append("".join(cells))
    return lines


def _height(column: Column, full: int, ceiling: float) -> int | None:
    if column is None:
        return None
    if column <= 0:
        return 0
    # What is more than nothing differs from nothing.
    return max(2, min(full, round(column / ceiling * full)))
