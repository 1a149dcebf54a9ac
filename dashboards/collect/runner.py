"""Run collectors in threads, so that a slow or failing source never delays another."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.errors import describe_error
from dashboards.reading_store import ReadingStore
from dashboards.target import Target

# A collector may use this share of a core. To stay below it, its pause grows up to the maximum, in seconds.
_CPU_SHARE = 0.02
_MAX_PAUSE = 6.0
# The pause after a slow answer is at least this many times as long as the answer took.
_PAUSE_FACTOR = 2


@dataclass(frozen=True, slots=True)
class CollectResult:
    """The value that a collector read; ``error`` describes what it could not read."""

    value: Any
    error: str | None = None


class Collector:
    """Reads one reading of `State` from one source, every ``interval`` seconds.

    ``resource`` names what is missing when the source answers that something does not exist.
    """

    reading: str
    source: str
    resource: str

    def __init__(self, target: Target, interval: float) -> None:
        self.target = target
        self.interval = interval

    def collect(self) -> CollectResult:
        """Read once. May raise any error, which the panel then shows."""
        raise NotImplementedError


class Runner:
    """Runs each collector in a thread and stores what it reads."""

    def __init__(self, collectors: Sequence[Collector], store: ReadingStore) -> None:
        self._collectors = collectors
        self._store = store
        self._stop = threading.Event()

    def start(self) -> None:
        """Read every source repeatedly until `stop`."""
        for collector in self._collectors:
            self._start_thread(collector, self._collect_repeatedly)

    def stop(self) -> None:
        """Stop reading. Calls in progress are abandoned: their threads end with the program."""
        self._stop.set()

    def run_once(self, timeout: float, *, second_depth_after: float) -> None:
        """Read every source once, within ``timeout`` seconds in total.

        The queue's counters are read again after some seconds, because rates need two readings.
        """
        threads = [self._start_thread(collector, self._collect) for collector in self._collectors]
        deadline = time.monotonic() + timeout
        for collector in self._collectors:
            if collector.reading == "depth":
                self._stop.wait(second_depth_after)
                threads.append(self._start_thread(collector, self._collect))
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        for collector, thread in zip(self._collectors, threads, strict=False):
            if thread.is_alive():
                self._store.put_error(collector.reading, f"{collector.source} timed out")

    def _start_thread(self, collector: Collector, function: Callable[[Collector], None]) -> threading.Thread:
        thread = threading.Thread(target=function, args=(collector,), name=collector.reading, daemon=True)
        thread.start()
        return thread

    def _collect(self, collector: Collector) -> None:
        try:
            result = collector.collect()
        except Exception as error:  # noqa: BLE001 - the panel shows it, and the next round tries again
            self._store.put_error(
                collector.reading, describe_error(error, collector.source, collector.resource)
            )
        else:
            self._store.put(collector.reading, result.value, time.time(), result.error)

    def _collect_repeatedly(self, collector: Collector) -> None:
        while not self._stop.is_set():
            started, cpu_started = time.monotonic(), time.thread_time()
            self._collect(collector)
            elapsed = time.monotonic() - started
            min_pause = max(_PAUSE_FACTOR * elapsed, (time.thread_time() - cpu_started) / _CPU_SHARE)
            pause = max(collector.interval - elapsed, min(_MAX_PAUSE, min_pause))
            self._store.set_interval(collector.reading, pause + elapsed)
            self._stop.wait(pause)
