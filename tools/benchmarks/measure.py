"""Rounds in turn, medians and spread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any, TypeVar

T = TypeVar("T")


def in_turn(contestants: Sequence[T], rounds: int, measure: Callable[[T, int], Any]) -> list[list[Any]]:
    """Measure each contestant once a round; returns each one's results, round by round.

    A machine's mood then falls on all of them alike. Who begins changes with every round.
    """
    results: list[list[Any]] = [[] for _ in contestants]
    for number in range(rounds):
        for offset in range(len(contestants)):
            place = (number + offset) % len(contestants)
            results[place].append(measure(contestants[place], number))
    return results


def spread(values: Sequence[float]) -> dict[str, Any]:
    """The median of some rounds, the lowest and the highest, and all of them."""
    shown = [float(f"{value:.4g}") for value in values]
    return {
        "median": float(f"{median(values):.4g}"),
        "low": min(shown),
        "high": max(shown),
        "rounds": shown,
    }


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, Any]:
    """How the first compares with the second, taken round by round."""
    return spread([one / other for one, other in zip(ours, theirs, strict=True)])
