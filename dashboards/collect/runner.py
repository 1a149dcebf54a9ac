"""Runs collectors in threads, so that a slow or dead source holds up nobody else."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from dashboards.errors import error_text
from dashboards.reading_store import ReadingStore

# What one collector may take of a core, and how far it is slowed down to keep to that, in seconds.
_SHARE = 0.02
_SLOWEST = 6.0
# A source is left alone for twice as long as it took to answer.
_PATIENCE = 2


@dataclass(frozen=True, slots=True)
class Seen:
    """What a collector found; ``problem`` says what it could not find beside it."""

    value: Any
    error_text: str | None = None


class Collector(Protocol):
    """Asks one source for a reading of `State`, every so many seconds.

    ``thing`` is what does not exist when the source says that something does not.
    """

    reading: str
    source: str
    thing: str
    every: float

    def collect(self) -> Seen:
        """Ask once. May raise anything; the panel then says what is wrong."""


class Runner:
    """The threads of some collectors."""

    def __init__(self, collectors: Sequence[Collector], board: ReadingStore) -> None:
        self._collectors = collectors
        self._board = board
        self._stop = threading.Event()

    def start(self) -> None:
        """Ask every source again and again, until `stop`."""
        for collector in self._collectors:
            self._thread(collector, self._run)

    def stop(self) -> None:
        """Ask no more. A call on its way is left to itself: its thread does not outlive the program."""
        self._stop.set()

    def once(self, within: float, *, depth_again_after: float) -> None:
        """Ask every source once, and give them ``within`` seconds in all.

        The queue's counters are read a second time after some seconds: rates need two readings.
        """
        threads = [self._thread(collector, self._ask) for collector in self._collectors]
        deadline = time.monotonic() + within
        for collector in self._collectors:
            if collector.reading == "depth":
                self._stop.wait(depth_again_after)
                threads.append(self._thread(collector, self._ask))
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        for collector, thread in zip(self._collectors, threads, strict=False):
            if thread.is_alive():
                self._board.fail(collector.reading, f"{collector.source} takes too long to answer")

    def _thread(self, collector: Collector, work: Any) -> threading.Thread:
        thread = threading.Thread(target=work, args=(collector,), name=collector.reading, daemon=True)
        thread.start()
        return thread

    def _ask(self, collector: Collector) -> None:
        try:
            seen = collector.collect()
        except Exception as error:  # noqa: BLE001 - the panel says what it is, and the next round tries again
            self._board.fail(collector.reading, error_text(error, collector.source, collector.thing))
        else:
            self._board.put(collector.reading, seen.value, time.time(), seen.error_text)

    def _run(self, collector: Collector) -> None:
        while not self._stop.is_set():
            began, cpu = time.monotonic(), time.thread_time()
            self._ask(collector)
            took = time.monotonic() - began
            rest = max(_PATIENCE * took, (time.thread_time() - cpu) / _SHARE)
            pause = max(collector.every - took, min(_SLOWEST, rest))
            self._board.slow_down(collector.reading, pause + took)
            self._stop.wait(pause)
