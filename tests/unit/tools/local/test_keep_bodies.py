"""Run LocalStack's init script on a poller with the behaviour of LocalStack 4.14."""

from __future__ import annotations

import json
import sys
from types import ModuleType
from typing import Any

import pytest

from tools.core.paths import ROOT

SCRIPT = ROOT / "tools" / "local" / "keep_bodies.py"
MODULE = "localstack.services.lambda_.event_source_mapping.pollers.sqs_poller"
ODD = [
    ' {"amount": 10.10,\n "amount": 1e400, "digits": 123456789012345.6789}\t',
    '"text"',
    "9" * 5000,
    "[" * 100_000,
    '"\\ud800"',
    "\ufeff{}",
    "",
    "no JSON",
]


class Poller:
    """The base class of LocalStack's pollers."""

    filter_patterns: list[dict[str, Any]]

    def filter_events(self, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Keep the events whose parsed body has the members that a pattern names."""
        if not self.filter_patterns:
            return events
        return [event for event in events if any(_matches(each, event) for each in self.filter_patterns)]


def _matches(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    body = event["body"]
    return isinstance(body, dict) and all(body.get(name) in some for name, some in pattern["body"].items())


def sqs_poller() -> Any:
    """A class with the shape of LocalStack's, created for each test because the script changes it."""

    class SqsPoller(Poller):
        processor: Any

        def handle_messages(self, messages: list[dict[str, Any]]) -> None:
            """Parse, filter, write again and invoke, as LocalStack 4.14.0 does."""
            events = [{"messageId": each["MessageId"], "body": each["Body"]} for each in messages]
            for event in events:
                try:
                    event["body"] = json.loads(event["body"])
                except json.JSONDecodeError:
                    continue
            matching = self.filter_events(events)
            for event in matching:
                body = event["body"]
                event["body"] = body if isinstance(body, str) else json.dumps(body)
            if matching:
                self.processor.process_events_batch(matching)

    return SqsPoller


def run_script(monkeypatch: pytest.MonkeyPatch, poller: Any) -> None:
    """Execute the script as LocalStack does."""
    module = ModuleType(MODULE)
    module.SqsPoller = poller  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, MODULE, module)
    exec(SCRIPT.read_bytes(), {})


class Function:
    """Replace the function's invoker."""

    def __init__(self) -> None:
        self.got: dict[str, str] = {}

    def process_events_batch(self, events: list[dict[str, Any]]) -> None:
        """Record the bodies of an invocation."""
        self.got |= {event["messageId"]: event["body"] for event in events}


def polled(poller: Any, bodies: list[str], patterns: list[dict[str, Any]]) -> list[str]:
    """Return the bodies that the function receives."""
    made = poller()
    made.filter_patterns, made.processor = patterns, Function()
    made.handle_messages([{"MessageId": str(n), "Body": body} for n, body in enumerate(bodies)])
    return list(made.processor.got.values())


def test_every_body_reaches_the_function_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    poller = sqs_poller()
    assert polled(poller, ODD[:1], []) != ODD[:1]
    run_script(monkeypatch, poller)
    assert polled(poller, ODD, []) == ODD


def test_filters_still_see_parsed_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    poller = sqs_poller()
    run_script(monkeypatch, poller)
    bodies = [*ODD, '{"type":  "order"}', '{"type": "payment"}']
    assert polled(poller, bodies, [{"body": {"type": ["order"]}}]) == ['{"type":  "order"}']


def test_messages_of_the_poller_are_not_modified(monkeypatch: pytest.MonkeyPatch) -> None:
    poller = sqs_poller()
    run_script(monkeypatch, poller)
    message = {"MessageId": "1", "Body": "{}", "ReceiptHandle": "r"}
    made = poller()
    made.filter_patterns, made.processor = [], Function()
    made.handle_messages([message])
    assert message == {"MessageId": "1", "Body": "{}", "ReceiptHandle": "r"}


def test_a_poller_that_keeps_bodies_itself_still_does(monkeypatch: pytest.MonkeyPatch) -> None:
    class Repaired(sqs_poller()):  # type: ignore[misc]
        def handle_messages(self, messages: list[dict[str, Any]]) -> None:
            """Filter copies, and invoke with the unchanged events."""
            events = [{"messageId": each["MessageId"], "body": each["Body"]} for each in messages]
            self.processor.process_events_batch(self.filter_events(events))

    run_script(monkeypatch, Repaired)
    assert polled(Repaired, ODD, []) == ODD


class Renamed(Poller):
    """A poller without the method."""

    def handle_batch(self, messages: list[dict[str, Any]]) -> None:
        """Do nothing."""


class Parsing(sqs_poller()):  # type: ignore[misc]
    """A poller that rewrites bodies after filtering as well."""

    def filter_events(self, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Filter before parsing, so that a filter reads the marked text."""
        return [event for event in events if not self.filter_patterns]


@pytest.mark.parametrize("poller", [Renamed, Parsing])
def test_a_poller_of_another_shape_is_restored_and_the_script_fails(
    monkeypatch: pytest.MonkeyPatch, poller: type
) -> None:
    before = dict(vars(poller))
    with pytest.raises(RuntimeError, match="another shape"):
        run_script(monkeypatch, poller)
    assert dict(vars(poller)) == before
