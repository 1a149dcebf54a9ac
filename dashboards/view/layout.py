"""Which panels there is room for, and where."""

from __future__ import annotations

from collections.abc import Sequence

Row = tuple[int, tuple[tuple[str, int], ...]]

_LEAST_WIDTH, _LEAST_HEIGHT = 16, 5
# How wide panels are beside others: alerts are sentences, alarms are words.
_SHARES = {"alerts": 2.0, "dynamodb": 1.05}
# From above: the panels of each row, its least and greatest height, and its share of what is left when each
# has its least.
_WIDE = [
    (("queue",), 8, 24, 0.5),
    (("throughput", "lambda", "dynamodb"), 7, 7, 0.0),
    (("alerts", "alarms"), 5, 99, 0.5),
]
_USUAL = [
    (("queue",), 8, 20, 0.45),
    (("throughput", "lambda"), 5, 7, 0.15),
    (("dynamodb", "alarms"), 5, 9, 0.15),
    (("alerts",), 5, 99, 0.25),
]
_NARROW = [
    (("queue",), 10, 14, 0.3),
    (("throughput",), 7, 7, 0.0),
    (("lambda",), 7, 7, 0.0),
    (("alarms",), 5, 12, 0.3),
    (("dynamodb",), 7, 7, 0.0),
    (("alerts",), 5, 99, 0.4),
]


def arrange(width: int, height: int) -> list[Row]:
    """Rows of panels for an area: each row's height, each panel's name and width. They fill it.

    What there is no room for is left out, from the end; on the smallest areas that is everything.
    """
    if width < _LEAST_WIDTH or height < _LEAST_HEIGHT:
        return []
    rows = _WIDE if width >= 110 else _USUAL if width >= 76 else _NARROW
    while len(rows) > 1 and sum(least for _, least, _, _ in rows) > height:
        rows = rows[:-1]
    heights = [min(least, height) for _, least, _, _ in rows]
    left = height - sum(heights)
    for number, (_, _, most, share) in enumerate(rows):
        heights[number] = min(most, heights[number] + int(left * share))
    # What rounding and limits leave over goes to the last row if that takes it, else to the queue.
    heights[-1 if rows[-1][2] == 99 else 0] += height - sum(heights)
    return [(tall, _widths(names, width)) for tall, (names, _, _, _) in zip(heights, rows, strict=True)]


def _widths(names: Sequence[str], width: int) -> tuple[tuple[str, int], ...]:
    shares = [_SHARES.get(name, 1.0) for name in names]
    wide = [int(width * share / sum(shares)) for share in shares]
    wide[0] += width - sum(wide)
    return tuple(zip(names, wide, strict=True))
