"""Draw charts of characters: columns of numbers as bars. An unknown number leaves a gap."""

import math
from collections.abc import Sequence

Column = float | None
# The fractions of a full cell. A value of zero has the mark of the smallest one.
_BARS = "▁▂▃▄▅▆▇█"


def nice_ceiling(value: float) -> float:
    """Return the least of 1, 2, 3, 4, 5, 6, 8, 10, 20, ... that is not below a value, for a stable scale."""
    if value <= 1:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * step for step in (1, 2, 3, 4, 5, 6, 8, 10) if value <= power * step)


def ceiling_of(columns: Sequence[Column]) -> float:
    """Return the end of a scale on which every column fits."""
    return nice_ceiling(max((column for column in columns if column is not None), default=1.0))


def draw_bars(columns: Sequence[Column], rows: int, ceiling: float) -> list[str]:
    """Draw bars of some rows' height, the topmost row first. A bar of ``ceiling`` is full."""
    steps = len(_BARS)
    heights = [_bar_height(column, rows * steps, ceiling) for column in columns]
    lines = []
    for row in reversed(range(rows)):
        cells = []
        for height in heights:
            if height is None:
                cells.append(" ")
                continue
            filled = height - row * steps
            if filled > 0:
                cells.append(_BARS[min(filled, steps) - 1])
            else:
                cells.append(_BARS[0] if row == 0 else " ")
        lines.append("".join(cells))
    return lines


def _bar_height(column: Column, full: int, ceiling: float) -> int | None:
    if column is None:
        return None
    if column <= 0:
        return 0
    # The smallest bar looks different from zero.
    return max(2, min(full, round(column / ceiling * full)))
