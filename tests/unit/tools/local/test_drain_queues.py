"""Run LocalStack's init script for queues on a poller with the shape of LocalStack 4.14."""

from __future__ import annotations

import runpy
import sys
from types import ModuleType

import pytest

from tools.core.paths import ROOT

SCRIPT = str(ROOT / "tools" / "local" / "drain_queues.py")
MODULE = "localstack.services.lambda_.event_source_mapping.pollers.sqs_poller"


class EmptyQueue(Exception):
    """What LocalStack's poller raises when it has received nothing."""


class SqsPoller:
    """A poller of a queue with some batches."""

    def __init__(self, batches: int) -> None:
        self.batches = batches
        self.polls = 0

    def poll_events(self) -> None:
        """Receive one batch."""
        self.polls += 1
        if self.polls > self.batches:
            raise EmptyQueue


def changed(monkeypatch: pytest.MonkeyPatch, now: list[float]) -> type[SqsPoller]:
    """Return a poller class that the script has changed, with a clock that advances a second a call."""
    module = ModuleType(MODULE)
    poller = type("SqsPoller", (SqsPoller,), {})
    monkeypatch.setattr(module, "SqsPoller", poller, raising=False)
    monkeypatch.setitem(sys.modules, MODULE, module)
    monkeypatch.setattr("time.monotonic", lambda: now.append(now[-1] + 1) or now[-1])  # type: ignore[func-returns-value]
    runpy.run_path(SCRIPT)
    return poller


def test_a_queue_is_polled_until_it_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    poller = changed(monkeypatch, [0.0])(batches=2)
    with pytest.raises(EmptyQueue):
        poller.poll_events()
    assert poller.polls == 3


def test_a_poll_of_an_endless_queue_returns_so_that_a_disabled_mapping_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    poller = changed(monkeypatch, [0.0])(batches=1_000)
    poller.poll_events()
    assert 1 < poller.polls < 6


def test_a_poller_of_another_shape_fails_the_script_and_stays_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = ModuleType(MODULE)
    monkeypatch.setattr(module, "SqsPoller", object, raising=False)
    monkeypatch.setitem(sys.modules, MODULE, module)
    with pytest.raises(AttributeError):
        runpy.run_path(SCRIPT)
