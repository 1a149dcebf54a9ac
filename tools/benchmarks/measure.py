"""Interleaved rounds, and the median and spread of their results."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any, TypeVar

# Of a cold start's zip, and of the highest rate of the latencies.
SOURCE, BYTECODE, TOP_RATE = "source", "bytecode", "80%"

T = TypeVar("T")


def interleave(candidates: Sequence[T], rounds: int, measure: Callable[[T], Any]) -> list[list[Any]]:
    """Measure each candidate once a round. Return the results of each candidate, round by round.

    Runs are interleaved so that background load affects all candidates equally. Each round starts with the
    next candidate.
    """
    results: list[list[Any]] = [[] for _ in candidates]
    for number in range(rounds):
        for offset in range(len(candidates)):
            index = (number + offset) % len(candidates)
            results[index].append(measure(candidates[index]))
    return results


def compare(candidates: Mapping[str, T], rounds: int, measure: Callable[[T], Any]) -> dict[str, Any]:
    """Measure each candidate once a round. Return the results of each by its name, as `summarize` does."""
    results = interleave(list(candidates.values()), rounds, measure)
    return {name: summarize(measured) for name, measured in zip(candidates, results, strict=True)}


def summarize(rounds: Sequence[Any]) -> dict[str, Any]:
    """Return the spread of each number of some rounds, in mappings as the rounds have them."""
    if isinstance(rounds[0], Mapping):
        return {name: summarize([each[name] for each in rounds]) for name in rounds[0]}
    return spread(rounds)


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Return the median of the rounds, the lowest, the highest, and all of them."""
    rounded = [float(f"{value:.4g}") for value in values]
    return {
        "median": float(f"{median(values):.4g}"),
        "low": min(rounded),
        "high": max(rounded),
        "rounds": rounded,
    }
