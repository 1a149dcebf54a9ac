"""`make replay`: rejected events go back to the queue, after a rule or a schema was fixed.

A copy names the rejected message as its origin. The function deletes the rejected item when the copy
succeeds and leaves it when it fails again; a second copy of it is a redelivery and changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tools.core import queues
from tools.core.resources import Resources
from tools.ops import rejections
from tools.ops.payloads import BodyLost, body_of, fetcher
from tools.ops.recover import outgoing
from tools.ops.recover.outgoing import OutgoingMessage
from tools.ops.rejections import Rejection

_POLL_SECONDS = 0.5
# Bodies held in memory at once, of up to 1 MiB each.
_AT_ONCE = 32


@dataclass
class Replayed:
    """What a replay did. ``refused`` says of each message id why it was not sent; it stays rejected.

    ``stored`` and ``still_rejected`` are outcomes; ``undecided`` copies were still queued at the deadline.
    """

    sent: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    stored: set[str] = field(default_factory=set)
    still_rejected: set[str] = field(default_factory=set)
    undecided: set[str] = field(default_factory=set)


def dry_run(resources: Resources, chosen: list[Rejection]) -> Replayed:
    """What `replay` would send and what it could not, without sending anything."""
    done = Replayed()
    done.sent = [message.key for message in _outgoing(resources, chosen, done.refused)]
    return done


def replay(resources: Resources, chosen: list[Rejection], progress: Callable[[int], None]) -> Replayed:
    """Send rejected events to the queue; ``progress`` is told how many are dealt with. Does not wait."""
    done = Replayed()
    sqs = resources.client("sqs")
    for batch in outgoing.batches(_outgoing(resources, chosen, done.refused)):
        refused = outgoing.send(sqs, resources.queue_url, batch)
        done.refused.update(refused)
        done.sent.extend(message.key for message in batch if message.key not in refused)
        progress(len(done.sent) + len(done.refused))
    return done


def wait_for_outcome(
    resources: Resources,
    done: Replayed,
    *,
    wait: float,
    progress: Callable[[int], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Fill in what became of the copies, waiting up to ``wait`` seconds for the queue to drain.

    ``progress`` is told how many have left the rejected table.
    """
    left = set(done.sent)
    sqs = resources.client("sqs")
    deadline = clock() + wait
    empty_since: float | None = None
    while left:
        # The queue first: what is still rejected after the queue was seen empty has been tried again.
        empty = queues.depth(sqs, resources.queue_url).total == 0
        left = rejections.still_there(resources, sorted(left))
        progress(len(done.sent) - len(left))
        now = clock()
        empty_since = (empty_since if empty_since is not None else now) if empty else None
        if empty_since is not None and now - empty_since >= resources.settle_seconds:
            break
        if now >= deadline:
            done.undecided = left
            break
        if left:
            sleep(_POLL_SECONDS)
    done.stored = set(done.sent) - left
    done.still_rejected = left - done.undecided


def _outgoing(
    resources: Resources, chosen: list[Rejection], refused: dict[str, str]
) -> Iterator[OutgoingMessage]:
    """The messages to send. What cannot be sent is put into ``refused`` instead."""
    fetch = fetcher(resources)
    resources.client("dynamodb")

    def prepare(rejection: Rejection) -> OutgoingMessage | str:
        item = rejections.whole_item(resources, rejection.message_id)
        if item is None:
            return "it is no longer rejected: another replay has brought it in"
        try:
            body = body_of(item, fetch).decode("utf-8")
        except BodyLost as lost:
            return f"its body cannot be had back: {lost}"
        except UnicodeDecodeError:
            return "its body is not UTF-8 text, which is all that SQS takes"
        message = OutgoingMessage(rejection.message_id, body, outgoing.origin_attribute(rejection.message_id))
        return message.obstacle or message

    with ThreadPoolExecutor(8) as pool:
        for start in range(0, len(chosen), _AT_ONCE):
            some = chosen[start : start + _AT_ONCE]
            for rejection, prepared in zip(some, pool.map(prepare, some), strict=True):
                if isinstance(prepared, OutgoingMessage):
                    yield prepared
                else:
                    refused[rejection.message_id] = prepared
