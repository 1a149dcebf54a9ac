from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dashboards.collect.runner import Collector, CollectResult, Runner
from dashboards.reading_store import ReadingStore
from dashboards.state import Depth
from tests.unit.dashboards.fakes import target
from tests.waiting import eventually

READINGS = ("depth", "activity", "tables", "alerts", "alarms")


class FakeCollector(Collector):
    """A collector with a chosen answer."""

    source = "SQS"
    resource = "the queue"

    def __init__(self, reading: str, read_value: Callable[[], Any]) -> None:
        super().__init__(target(), 0.02)
        self.reading = reading
        self.read_value = read_value
        self.calls = 0

    def collect(self) -> CollectResult:
        self.calls += 1
        return CollectResult(self.read_value())


def create_store() -> ReadingStore:
    return ReadingStore("p", "here", dict.fromkeys(READINGS, ("SQS", 0.02)))


@pytest.fixture
def never() -> Iterator[Callable[[], Any]]:
    """An answer that blocks until the test ends."""
    test_ended = threading.Event()
    yield test_ended.wait
    test_ended.set()


def test_a_failing_source_keeps_its_last_value_and_shows_its_error_until_it_recovers() -> None:
    broken = threading.Event()

    def respond() -> Depth:
        if broken.is_set():
            raise ConnectionRefusedError
        return Depth(time.time(), 7, 0, 0, 0.0)

    store = create_store()
    runner = Runner([FakeCollector("depth", respond)], store)
    runner.start()
    try:
        eventually(lambda: store.state(time.time()).depth.value, within=5, what="a first reading")
        broken.set()
        eventually(lambda: store.state(time.time()).depth.error, within=5, what="an error")
        depth = store.state(time.time()).depth
        assert (depth.error, depth.value.visible if depth.value else None) == ("SQS does not answer", 7)
        broken.clear()
        eventually(lambda: store.state(time.time()).depth.error is None, within=5, what="no error")
    finally:
        runner.stop()


def test_a_source_that_hangs_does_not_delay_the_others(never: Callable[[], Any]) -> None:
    store = create_store()
    runner = Runner([FakeCollector("tables", never), FakeCollector("alarms", lambda: ())], store)
    runner.start()
    try:
        eventually(lambda: store.state(time.time()).alarms.value == (), within=5, what="the alarms")
    finally:
        runner.stop()


def test_a_bug_in_a_collector_only_affects_its_panel() -> None:
    def bug() -> Any:
        raise AttributeError("oops")

    store = create_store()
    Runner([FakeCollector("tables", bug), FakeCollector("alarms", lambda: ())], store).run_once(
        5, second_depth_after=0
    )
    state = store.state(time.time())
    assert state.tables.error == "SQS: AttributeError oops"
    assert state.alarms.value == ()


def test_run_once_reads_the_counters_twice_and_does_not_wait_for_a_source_that_hangs(
    never: Callable[[], Any],
) -> None:
    depth = FakeCollector("depth", lambda: Depth(time.time(), 1, 0, 0, 0.0))
    store = create_store()
    Runner([depth, FakeCollector("tables", never)], store).run_once(0.3, second_depth_after=0.01)
    state = store.state(time.time())
    assert depth.calls == len(state.history) == 2
    assert state.tables.error == "SQS timed out"


def test_a_source_that_answers_slowly_is_read_less_often() -> None:
    store = create_store()
    stopped = threading.Event()
    slow = FakeCollector("alarms", lambda: stopped.wait(0.1) and ())
    runner = Runner([slow], store)
    runner.start()
    try:
        eventually(lambda: store.state(time.time()).alarms.interval > 0.25, within=5, what="a longer pause")
    finally:
        runner.stop()
        stopped.set()


def test_the_history_covers_15_minutes() -> None:
    store = create_store()
    for read_at in (0.0, 500.0, 1000.0):
        store.put("depth", Depth(read_at, 1, 0, 0, 0.0), read_at)
    assert [depth.read_at for depth in store.state(1000.0).history] == [500.0, 1000.0]
