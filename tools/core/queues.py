"""Read queues: how many messages they hold, and which."""

import json
import math
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import contract
from common.origin import ORIGIN_ATTRIBUTE, SIGNATURE_ATTRIBUTE
from tools.core.http import direct_opener
from tools.core.origins import Origins
from tools.core.resources import Resources

# Enough to read a dead-letter queue of ten thousand messages. A killed reader hides messages this long.
_VISIBILITY_TIMEOUT = 120
_direct = direct_opener()


@dataclass(frozen=True, slots=True)
class Depth:
    """The three message counters of a queue. They are approximate on AWS."""

    visible: int
    in_flight: int
    delayed: int

    @property
    def total(self) -> int:
        """Return the number of all messages in the queue."""
        return self.visible + self.in_flight + self.delayed


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message in a queue. A signed copy has the message id of its original."""

    message_id: str
    content_hash: str


def depth(sqs: Any, queue_url: str) -> Depth:
    """Read a queue's counters."""
    names = ("", "NotVisible", "Delayed")
    attributes = [f"ApproximateNumberOfMessages{name}" for name in names]
    counters = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=attributes)["Attributes"]
    return Depth(*(int(counters[attribute]) for attribute in attributes))


def wait_until_drained(
    sqs: Any,
    queue_url: str,
    *,
    quiet_seconds: float,
    deadline: float,
    idle_timeout: float = math.inf,
    progress: Callable[[Depth], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Wait until a queue has been empty for ``quiet_seconds``. Return whether it was.

    Gives up at ``deadline`` (clock time), or when the queue has not become shorter for ``idle_timeout``
    seconds: other senders keep it busy, or its messages wait for a retry. Each reading is passed to
    ``progress``.
    """
    empty_since: float | None = None
    shortest, shortened = math.inf, clock()
    while True:
        current = depth(sqs, queue_url)
        progress(current)
        now = clock()
        if current.total < shortest:
            shortest, shortened = current.total, now
        if current.total:
            empty_since = None
        elif empty_since is None:
            empty_since = now
        if empty_since is not None and now - empty_since >= quiet_seconds:
            return True
        if now >= deadline or (current.total and now - shortened >= idle_timeout):
            return False
        sleep(min(0.25, quiet_seconds))


def peek(resources: Resources, queue_url: str) -> list[QueuedMessage] | None:
    """Return the messages of a queue without receiving them, or None if the endpoint cannot list them.

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
        url = f"{resources.endpoint}/_ministack/sqs/messages?{query}"
        request = urllib.request.Request(url, headers=resources.own_key)  # noqa: S310 - an emulator's address
        with _direct.open(request, timeout=30) as response:
            accounts = json.load(response)["messages"]
    except (urllib.error.HTTPError, json.JSONDecodeError, KeyError, TypeError):
        return None
    origins = Origins(resources)
    return [
        _queued_message(origins, message["MessageId"], message["Body"], message["MessageAttributes"])
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
        origins = Origins(resources)
        return [
            _queued_message(
                origins,
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
    """Return the messages of the dead-letter queue. Received messages are released at once.

    Receiving is harmless here, because a dead-letter queue has no maxReceiveCount.
    """
    listed = peek(resources, resources.dlq_url)
    if listed is not None:
        return listed
    origins = Origins(resources)
    return [
        _queued_message(origins, message["MessageId"], message["Body"], message.get("MessageAttributes", {}))
        for message in _receive_and_release(resources, resources.dlq_url)
    ]


def read_bodies(resources: Resources, queue_url: str, limit: int) -> list[str]:
    """Return up to ``limit`` bodies of a queue without a dead-letter queue. All messages are released."""
    if depth(resources.client("sqs"), queue_url).total == 0:
        return []
    return [message["Body"] for message in _receive_and_release(resources, queue_url, limit)]


def release(sqs: Any, queue_url: str, receipts: list[str]) -> None:
    """Make received messages visible again."""
    for start in range(0, len(receipts), 10):
        entries = [
            {"Id": str(index), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
            for index, receipt in enumerate(receipts[start : start + 10])
        ]
        sqs.change_message_visibility_batch(QueueUrl=queue_url, Entries=entries)


def _receive_and_release(
    resources: Resources, queue_url: str, limit: float = math.inf
) -> list[dict[str, Any]]:
    """Receive each message of a queue once, up to ``limit``, and release all of them."""
    sqs = resources.client("sqs")
    messages: dict[str, dict[str, Any]] = {}
    receipts: list[str] = []
    try:
        for message in receive_all(sqs, queue_url):
            messages[message["MessageId"]] = message
            receipts.append(message["ReceiptHandle"])
            if len(messages) >= limit:
                break
    finally:
        release(sqs, queue_url, receipts)
    return list(messages.values())


def receive_all(
    sqs: Any, queue_url: str, attributes: Sequence[str] = (ORIGIN_ATTRIBUTE, SIGNATURE_ATTRIBUTE)
) -> Iterator[dict[str, Any]]:
    """Receive each message of a queue with these attributes. The caller releases or deletes them."""
    # A long poll asks every server of the queue. A second empty response covers messages that another
    # reader has just released.
    empty_responses = 0
    while empty_responses < 2:
        messages = sqs.receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=_VISIBILITY_TIMEOUT,
            WaitTimeSeconds=2,
            MessageAttributeNames=list(attributes),
        ).get("Messages", [])
        empty_responses = 0 if messages else empty_responses + 1
        yield from messages


def _queued_message(
    origins: Origins, message_id: str, body: str, attributes: Mapping[str | None, Any]
) -> QueuedMessage:
    content_hash = contract.content_hash(body)
    return QueuedMessage(origins.origin_of(attributes, content_hash) or message_id, content_hash)
