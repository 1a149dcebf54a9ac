from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dashboards.collect.runner import Runner, Seen
from dashboards.reading_store import ReadingStore
from dashboards.state import Depth
from tests.waiting import eventually

READINGS = ("depth", "activity", "tables", "alerts", "alarms")


class Asked:
    """A collector whose answer a test chooses."""

    source = "SQS"
    thing = "the queue"
    every = 0.02

    def __init__(self, reading: str, answer: Callable[[], Any]) -> None:
        self.reading = reading
        self.answer = answer
        self.times = 0

    def collect(self) -> Seen:
        self.times += 1
        return Seen(self.answer())


def board() -> ReadingStore:
    return ReadingStore("p", "here", dict.fromkeys(READINGS, ("SQS", 0.02)))


@pytest.fixture
def never() -> Iterator[Callable[[], Any]]:
    """An answer that does not come while the test lasts."""
    over = threading.Event()
    yield over.wait
    over.set()


def test_a_failing_source_keeps_its_last_value_and_says_what_is_wrong_until_it_is_back() -> None:
    broken = threading.Event()

    def answer() -> Depth:
        if broken.is_set():
            raise ConnectionRefusedError
        return Depth(time.time(), 7, 0, 0, 0.0)

    written = board()
    runner = Runner([Asked("depth", answer)], written)
    runner.start()
    try:
        eventually(lambda: written.state(time.time()).depth.value, within=5, what="a first reading")
        broken.set()
        eventually(lambda: written.state(time.time()).depth.problem, within=5, what="a problem")
        kept = written.state(time.time()).depth
        assert (kept.problem, kept.value.visible if kept.value else None) == ("SQS does not answer", 7)
        broken.clear()
        eventually(lambda: written.state(time.time()).depth.problem is None, within=5, what="no problem")
    finally:
        runner.stop()


def test_a_source_that_hangs_holds_up_no_other(never: Callable[[], Any]) -> None:
    written = board()
    runner = Runner([Asked("tables", never), Asked("alarms", lambda: ())], written)
    runner.start()
    try:
        eventually(lambda: written.state(time.time()).alarms.value == (), within=5, what="the alarms")
    finally:
        runner.stop()


def test_a_bug_in_a_collector_costs_only_its_panel() -> None:
    def bug() -> Any:
        raise AttributeError("oops")

    written = board()
    Runner([Asked("tables", bug), Asked("alarms", lambda: ())], written).once(5, depth_again_after=0)
    found = written.state(time.time())
    assert found.tables.problem == "SQS: AttributeError oops"
    assert found.alarms.value == ()


def test_asked_once_the_counters_are_read_twice_and_a_source_that_hangs_is_not_waited_for(
    never: Callable[[], Any],
) -> None:
    depth = Asked("depth", lambda: Depth(time.time(), 1, 0, 0, 0.0))
    written = board()
    Runner([depth, Asked("tables", never)], written).once(0.3, depth_again_after=0.01)
    found = written.state(time.time())
    assert depth.times == len(found.history) == 2
    assert found.tables.problem == "SQS takes too long to answer"


def test_a_source_that_answers_slowly_is_asked_less_often() -> None:
    written = board()
    over = threading.Event()
    slow = Asked("alarms", lambda: over.wait(0.1) and ())
    runner = Runner([slow], written)
    runner.start()
    try:
        eventually(lambda: written.state(time.time()).alarms.every > 0.25, within=5, what="a longer pause")
    finally:
        runner.stop()
        over.set()


def test_the_history_goes_back_15_minutes_and_no_further() -> None:
    written = board()
    for at in (0.0, 500.0, 1000.0):
        written.put("depth", Depth(at, 1, 0, 0, 0.0), at)
    assert [depth.at for depth in written.state(1000.0).history] == [500.0, 1000.0]
