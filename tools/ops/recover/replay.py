"""`make replay`: send rejected events back to the queue, after a rule or the schema was fixed.

A copy names the rejected message as its origin, and signs it. The function deletes the rejected item if it
stores the copy, and keeps it if it rejects the copy again. A second copy is a redelivery and changes nothing.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import contract
from producer.send.batching import batched
from tools.core import queues
from tools.core.origins import Origins
from tools.core.parallel import parallel
from tools.core.resources import Resources
from tools.ops import rejections
from tools.ops.payloads import PayloadError, fetcher, read_body
from tools.ops.recover import outgoing
from tools.ops.recover.outgoing import OutgoingMessage
from tools.ops.rejections import Rejection

_POLL_SECONDS = 0.5
_THREADS = 8


@dataclass
class ReplayResult:
    """The results of a replay, as message ids.

    ``refused`` has the reasons why messages were not sent; they stay rejected. ``stored`` and
    ``still_rejected`` are outcomes. ``pending`` copies were still queued at the deadline.
    """

    sent: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    stored: set[str] = field(default_factory=set)
    still_rejected: set[str] = field(default_factory=set)
    pending: set[str] = field(default_factory=set)


def dry_run(resources: Resources, selected: list[Rejection]) -> ReplayResult:
    """Return what `replay` would send and what it would refuse, without sending."""
    result = ReplayResult()
    result.sent = [message.key for message in _outgoing(resources, selected, result.refused)]
    return result


def replay(resources: Resources, selected: list[Rejection], progress: Callable[[int], None]) -> ReplayResult:
    """Send rejected events to the queue. ``progress`` gets the number of sent and refused events."""
    result = ReplayResult()
    sqs = resources.client("sqs")
    for batch in batched(_outgoing(resources, selected, result.refused)):
        refused = outgoing.send(sqs, resources.queue_url, batch)
        result.refused.update(refused)
        result.sent.extend(message.key for message in batch if message.key not in refused)
        progress(len(result.sent) + len(result.refused))
    return result


def wait_for_outcomes(
    resources: Resources,
    result: ReplayResult,
    *,
    wait: float,
    progress: Callable[[int], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Add the outcomes of the copies to the result. Waits up to ``wait`` seconds until the queue has drained.

    ``progress`` gets the number of events that have left the rejected table.
    """
    remaining = set(result.sent)
    sqs = resources.client("sqs")
    deadline = clock() + wait
    empty_since: float | None = None
    while remaining:
        # The queue is read first: events that are rejected after it was empty have been processed again.
        empty = queues.depth(sqs, resources.queue_url).total == 0
        remaining = rejections.still_rejected(resources, sorted(remaining))
        progress(len(result.sent) - len(remaining))
        now = clock()
        empty_since = (empty_since if empty_since is not None else now) if empty else None
        if empty_since is not None and now - empty_since >= resources.quiet_seconds:
            break
        if now >= deadline:
            result.pending = remaining
            break
        if remaining:
            sleep(_POLL_SECONDS)
    result.stored = set(result.sent) - remaining
    result.still_rejected = remaining - result.pending


def _outgoing(
    resources: Resources, selected: list[Rejection], refused: dict[str, str]
) -> Iterator[OutgoingMessage]:
    """Yield the messages to send. Add the others to ``refused``, with the reason."""
    fetch = fetcher(resources)
    origins = Origins(resources)
    _ = origins.key, resources.client("dynamodb")  # threads must not create clients

    def prepare(rejection: Rejection) -> OutgoingMessage | str:
        item = rejections.get_item(resources, rejection.message_id)
        if item is None:
            return "it is no longer rejected: another replay has stored it"
        try:
            body = read_body(item, fetch).decode("utf-8")
        except PayloadError as error:
            return f"its body cannot be read: {error}"
        except UnicodeDecodeError:
            return "its body is not UTF-8 text, and SQS accepts only text"
        attributes = origins.attributes(rejection.message_id, contract.content_hash(body))
        message = OutgoingMessage(rejection.message_id, body, attributes)
        return message.send_error or message

    for rejection, prepared in zip(selected, parallel(prepare, selected, _THREADS), strict=True):
        if isinstance(prepared, OutgoingMessage):
            yield prepared
        else:
            refused[rejection.message_id] = prepared
