"""Make LocalStack pass SQS message bodies to Lambda as they were sent.

LocalStack's poller parses each body for its filters and writes it again with json.dumps: digits, white space
and duplicate keys are lost. LocalStack executes this file in its own process at start (docker-compose.yml
mounts it in /etc/localstack/init/start.d) and reports the outcome at /_localstack/init.

The change fits any version whose methods have the expected shape. It stays only if LocalStack's own method
then passes a set of difficult bodies, filtered and unfiltered. Otherwise the script restores LocalStack and
fails with the reason.
"""

import importlib
import json
import logging
from typing import Any

POLLER = "localstack.services.lambda_.event_source_mapping.pollers.sqs_poller"
# json.loads refuses a text that begins with a byte order mark, so the poller leaves a marked body as it is.
MARK = "\ufeff"
MATCHING = '{ "keep_bodies": "probe", "amount": 10.10, "amount": 123456789012345.6789 }'
DIFFICULT = (MATCHING, '"text"', '{"n":1e400}', "9" * 5000, "[" * 200_000, MARK + "{}", "no JSON")


def parsed(body: str) -> Any:
    """Return the body in the form that filters read: parsed if it is JSON, else the text."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body


def keep_bodies(poller: Any) -> None:
    """Change the poller class, or raise RuntimeError and leave it as it was."""
    before = {name: vars(poller).get(name) for name in ("handle_messages", "filter_events")}
    try:
        _change(poller)
        _prove(poller)
    except Exception as error:
        for name, method in before.items():
            if method is not None:
                setattr(poller, name, method)
            elif name in vars(poller):
                delattr(poller, name)
        raise RuntimeError(f"message bodies are rewritten: {poller} has another shape ({error!r})") from error


def _change(poller: Any) -> None:
    handle_messages, filter_events = poller.handle_messages, poller.filter_events

    def handle_marked(self: Any, messages: list[dict[str, Any]]) -> Any:
        return handle_messages(self, [{**each, "Body": MARK + each["Body"]} for each in messages])

    def filter_parsed(self: Any, events: list[dict[str, Any]]) -> Any:
        bodies = {event["messageId"]: event["body"].removeprefix(MARK) for event in events}
        for event in events:
            event["body"] = parsed(bodies[event["messageId"]])
        matching = filter_events(self, events)
        for event in matching:
            event["body"] = bodies[event["messageId"]]
        return matching

    poller.handle_messages, poller.filter_events = handle_marked, filter_parsed


def _prove(poller: Any) -> None:
    for patterns, expected in (([], DIFFICULT), ([{"body": {"keep_bodies": ["probe"]}}], (MATCHING,))):
        passed = _passed(poller, patterns)
        if passed != list(expected):
            raise ValueError(f"expected {len(expected)} bodies, got {[body[:80] for body in passed]}")


def _passed(poller: Any, patterns: list[dict[str, Any]]) -> list[str]:
    """Return the difficult bodies that a poller of this class passes on."""
    function = _Function()
    instance = object.__new__(poller)
    instance.source_arn, instance.queue_url = "arn:aws:sqs:us-east-1:0:probe", "probe"
    instance.aws_region, instance.batch_size = "us-east-1", len(DIFFICULT)
    instance.source_parameters, instance.filter_patterns = {}, patterns
    instance.source_client = instance.processor = function
    instance.handle_messages(
        [
            {"MessageId": str(number), "ReceiptHandle": str(number), "Body": body}
            for number, body in enumerate(DIFFICULT)
        ]
    )
    return function.bodies


class _Function:
    """Replace the queue's client and the function's invoker."""

    def __init__(self) -> None:
        self.bodies: list[str] = []

    def process_events_batch(self, events: list[dict[str, Any]]) -> None:
        """Keep the bodies of an invocation."""
        self.bodies += [event["body"] for event in events]

    def delete_message_batch(self, **_: Any) -> None:
        """Delete nothing: there is no queue."""


keep_bodies(importlib.import_module(POLLER).SqsPoller)
logging.getLogger("localstack.keep_bodies").info("Message bodies reach functions as they were sent.")
