"""The queues: how much waits in them, and what it is."""

from __future__ import annotations

import json
import math
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import contract
from processor.messages import ORIGIN_ATTRIBUTE
from tools.core.resources import Resources

# Long enough to read a dead-letter queue of some ten thousand messages; a reader that is killed leaves them
# hidden for no longer than this.
_READING_SECONDS = 120
# An emulator is reached directly, whatever proxy the environment names.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Depth:
    """A queue's three counters; approximate on AWS."""

    visible: int
    in_flight: int
    delayed: int

    @property
    def total(self) -> int:
        """Messages in the queue, whatever their state."""
        return self.visible + self.in_flight + self.delayed


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message in a queue: which one it is (a copy goes by its first message's id), and its content."""

    message_id: str
    content_hash: str


def depth(sqs: Any, queue_url: str) -> Depth:
    """Read a queue's counters."""
    names = ("", "NotVisible", "Delayed")
    attributes = [f"ApproximateNumberOfMessages{name}" for name in names]
    found = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=attributes)["Attributes"]
    return Depth(*(int(found[attribute]) for attribute in attributes))


def wait_until_drained(
    sqs: Any,
    queue_url: str,
    *,
    settle: float,
    deadline: float,
    patience: float = math.inf,
    progress: Callable[[Depth], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Wait until a queue has read empty for ``settle`` seconds.

    False when ``deadline`` (clock time) passes, or when the queue has not become shorter for ``patience``
    seconds: others keep it busy, or what is left waits to be tried again. ``progress`` is called with every
    reading.
    """
    empty_since: float | None = None
    shortest, shortened = math.inf, clock()
    while True:
        there = depth(sqs, queue_url)
        progress(there)
        now = clock()
        if there.total < shortest:
            shortest, shortened = there.total, now
        if there.total:
            empty_since = None
        elif empty_since is None:
            empty_since = now
        if empty_since is not None and now - empty_since >= settle:
            return True
        if now >= deadline or (there.total and now - shortened >= patience):
            return False
        sleep(min(0.25, settle))


def peek(resources: Resources, queue_url: str) -> list[QueuedMessage] | None:
    """What a queue holds, without receiving it; None where the endpoint has no way to tell.

    MiniStack has (GET /_ministack/sqs/messages), and LocalStack (GET /_aws/sqs/messages). Receiving from the
    events queue would count towards its maxReceiveCount and bring messages nearer to the dead-letter queue.
    """
    if resources.endpoint is None:
        return None
    found = _peek_ministack(resources, queue_url)
    return found if found is not None else _peek_localstack(resources, queue_url)


def _peek_ministack(resources: Resources, queue_url: str) -> list[QueuedMessage] | None:
    query = urllib.parse.urlencode({"QueueUrl": queue_url, "region": resources.region})
    try:
        with _direct.open(f"{resources.endpoint}/_ministack/sqs/messages?{query}", timeout=30) as answer:
            accounts = json.load(answer)["messages"]
    except (urllib.error.HTTPError, json.JSONDecodeError, KeyError, TypeError):
        return None
    return [
        _waiting(message["MessageId"], message["Body"], message["MessageAttributes"])
        for regions in accounts.values()
        for queues in regions.values()
        for messages in queues.values()
        for message in messages
    ]


def _peek_localstack(resources: Resources, queue_url: str) -> list[QueuedMessage] | None:
    query = urllib.parse.urlencode({"QueueUrl": queue_url, "ShowInvisible": "true", "ShowDelayed": "true"})
    try:
        # XML, unless JSON is asked for: that strips white space from the bodies.
        with _direct.open(f"{resources.endpoint}/_aws/sqs/messages?{query}", timeout=30) as answer:
            messages = ElementTree.fromstring(answer.read()).findall(".//{*}Message")  # noqa: S314
        return [
            _waiting(
                message.findtext("{*}MessageId") or "",
                message.findtext("{*}Body") or "",
                {
                    attribute.findtext("{*}Name"): {"StringValue": attribute.findtext(".//{*}StringValue")}
                    for attribute in message.findall("{*}MessageAttribute")
                },
            )
            for message in messages
        ]
    except (urllib.error.HTTPError, ElementTree.ParseError):
        return None


def read_dead_letters(resources: Resources) -> list[QueuedMessage]:
    """What the dead-letter queue holds; everything is put back where it was received.

    Nothing moves messages out of a dead-letter queue by receive count, so that receiving harms nothing.
    """
    seen = peek(resources, resources.dlq_url)
    if seen is not None:
        return seen
    sqs = resources.client("sqs")
    found: dict[str, QueuedMessage] = {}
    receipts: list[str] = []
    try:
        for message in _receive_all(sqs, resources.dlq_url):
            found[message["MessageId"]] = _waiting(
                message["MessageId"], message["Body"], message.get("MessageAttributes", {})
            )
            receipts.append(message["ReceiptHandle"])
    finally:
        release(sqs, resources.dlq_url, receipts)
    return list(found.values())


def read_bodies(resources: Resources, queue_url: str, most: int) -> list[str]:
    """The bodies of up to ``most`` messages of a queue without a dead-letter queue; all are put back."""
    sqs = resources.client("sqs")
    if depth(sqs, queue_url).total == 0:
        return []
    found: dict[str, str] = {}
    receipts: list[str] = []
    try:
        for message in _receive_all(sqs, queue_url):
            found[message["MessageId"]] = message["Body"]
            receipts.append(message["ReceiptHandle"])
            if len(found) >= most:
                break
    finally:
        release(sqs, queue_url, receipts)
    return list(found.values())


def release(sqs: Any, queue_url: str, receipts: list[str]) -> None:
    """Make received messages visible again at once."""
    for start in range(0, len(receipts), 10):
        entries = [
            {"Id": str(index), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
            for index, receipt in enumerate(receipts[start : start + 10])
        ]
        sqs.change_message_visibility_batch(QueueUrl=queue_url, Entries=entries)


def _receive_all(sqs: Any, queue_url: str) -> Iterator[dict[str, Any]]:
    # An empty answer to a long poll of 2 s has asked every server of the queue; the second one is for
    # messages that were in another reader's hands.
    empty = 0
    while empty < 2:
        messages = sqs.receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=_READING_SECONDS,
            WaitTimeSeconds=2,
            MessageAttributeNames=[ORIGIN_ATTRIBUTE],
        ).get("Messages", [])
        empty = 0 if messages else empty + 1
        yield from messages


def _waiting(message_id: str, body: str, attributes: Mapping[str | None, Any]) -> QueuedMessage:
    origin = attributes.get(ORIGIN_ATTRIBUTE, {}).get("StringValue")
    return QueuedMessage(origin or message_id, contract.content_hash(body))
