"""Choose the panels that fit on the screen and their positions."""

from collections.abc import Sequence
from dataclasses import dataclass

Row = tuple[int, tuple[tuple[str, int], ...]]

_MIN_WIDTH, _MIN_HEIGHT = 16, 5
# The height of the last row has no limit.
_UNLIMITED = 99
# Widths relative to other panels of the row: alerts are sentences, alarms are words.
_WIDTH_WEIGHTS = {"alerts": 2.0, "dynamodb": 1.05}


@dataclass(frozen=True, slots=True)
class RowSpec:
    """The panels of a row and its heights. ``growth`` is its fraction of the lines beyond the minimum."""

    panels: tuple[str, ...]
    min_height: int
    max_height: int
    growth: float


# From top to bottom.
_WIDE = [
    RowSpec(("queue",), 8, 24, 0.5),
    RowSpec(("throughput", "lambda", "dynamodb"), 7, 7, 0.0),
    RowSpec(("alerts", "alarms"), 5, _UNLIMITED, 0.5),
]
_MEDIUM = [
    RowSpec(("queue",), 8, 20, 0.45),
    RowSpec(("throughput", "lambda"), 5, 7, 0.15),
    RowSpec(("dynamodb", "alarms"), 5, 9, 0.15),
    RowSpec(("alerts",), 5, _UNLIMITED, 0.25),
]
_NARROW = [
    RowSpec(("queue",), 10, 14, 0.3),
    RowSpec(("throughput",), 7, 7, 0.0),
    RowSpec(("lambda",), 7, 7, 0.0),
    RowSpec(("alarms",), 5, 12, 0.3),
    RowSpec(("dynamodb",), 7, 7, 0.0),
    RowSpec(("alerts",), 5, _UNLIMITED, 0.4),
]


def arrange(width: int, height: int, panel: str | None = None) -> list[Row]:
    """Return rows of panels that fill an area: each row's height, each panel's name and width.

    With ``panel`` it gets the whole area.
    Rows that do not fit are left out from the end. A very small area gets no row at all.
    """
    if width < _MIN_WIDTH or height < _MIN_HEIGHT:
        return []
    if panel:
        return [(height, ((panel, width),))]
    rows = _WIDE if width >= 110 else _MEDIUM if width >= 76 else _NARROW
    while len(rows) > 1 and sum(row.min_height for row in rows) > height:
        rows = rows[:-1]
    heights = [min(row.min_height, height) for row in rows]
    spare = height - sum(heights)
    for number, row in enumerate(rows):
        heights[number] = min(row.max_height, heights[number] + int(spare * row.growth))
    # Lines left over by rounding and limits go to the last row if it is unlimited, else to the queue.
    heights[-1 if rows[-1].max_height == _UNLIMITED else 0] += height - sum(heights)
    return [(height, _widths(row.panels, width)) for height, row in zip(heights, rows, strict=True)]


def _widths(panels: Sequence[str], width: int) -> tuple[tuple[str, int], ...]:
    weights = [_WIDTH_WEIGHTS.get(panel, 1.0) for panel in panels]
    widths = [int(width * weight / sum(weights)) for weight in weights]
    widths[0] += width - sum(widths)
    return tuple(zip(panels, widths, strict=True))
