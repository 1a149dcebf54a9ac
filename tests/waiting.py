"""Waiting on conditions, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(condition: Callable[[], T | None], *, within: float, what: str) -> T:
    """Ask again and again until the condition is true; returns what it returned.

    ``within`` is in seconds. Fails the test, saying what was awaited and how it stood, when time is up.
    """
    deadline = time.monotonic() + within
    while True:
        asked = time.monotonic()
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:g} s: {what} (it stood at {result!r})")
        # What is awaited needs the processor more than the waiting does.
        time.sleep(min(1, max(0.1, 3 * (time.monotonic() - asked))))
