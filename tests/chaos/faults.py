"""Faults that AWS is known for and microburst cannot inject, as hooks of the relay.

A ``share`` is the probability, 0 to 1, that a call is hit.
"""

from __future__ import annotations

import json
import random
import threading
import urllib.parse
from collections.abc import Callable
from http import HTTPStatus

from tests.chaos.relay import PASS, Call, Hook, Reply

WRITES = {"PutItem", "TransactWriteItems", "BatchWriteItem", "UpdateItem", "PublishBatch", "PutObject"}
_JSON = {"Content-Type": "application/x-amz-json-1.0"}


def losing_answers(share: float, operations: set[str] = WRITES) -> Hook:
    """The call is done, and the connection breaks before its answer is through."""

    def hook(call: Call) -> Reply | None:
        if call.operation not in operations or random.random() >= share:
            return PASS
        call.forward(call.body)
        return None

    return hook


def answering_late(share: float, seconds: float, operations: set[str] = WRITES) -> Hook:
    """The call is done, and its answer comes after ``seconds``, when nobody waits for it any more."""

    def hook(call: Call) -> Reply | None:
        if call.operation not in operations or random.random() >= share:
            return PASS
        call.forward(call.body)
        threading.Event().wait(seconds)
        return None

    return hook


def doing_late(share: float, seconds: float, operations: set[str] = WRITES) -> Hook:
    """The call is done ``seconds`` later, when the function has given it up."""

    def hook(call: Call) -> Reply | None:
        if call.operation not in operations or random.random() >= share:
            return PASS
        threading.Event().wait(seconds)
        call.forward(call.body)
        return None

    return hook


def cancelling(share: float, codes: tuple[str, ...]) -> Hook:
    """A transaction is cancelled, for reasons that concern about a third of its actions."""

    def hook(call: Call) -> Reply | None:
        if call.operation != "TransactWriteItems" or random.random() >= share:
            return PASS
        actions = json.loads(call.body)["TransactItems"]
        hit = {n for n in range(len(actions)) if random.random() < 1 / 3} or {0}
        reasons = [{"Code": random.choice(codes) if n in hit else "None"} for n in range(len(actions))]
        return _refusal(
            "TransactionCanceledException",
            {"Message": "Transaction cancelled", "CancellationReasons": reasons},
        )

    return hook


def leaving_unprocessed(share: float) -> Hook:
    """Of a batch of writes a half is done; the answer is a good one and names the rest."""

    def hook(call: Call) -> Reply | None:
        if call.operation != "BatchWriteItem" or random.random() >= share:
            return PASS
        request = json.loads(call.body)
        ((table, writes),) = request["RequestItems"].items()
        done, left = writes[::2], writes[1::2]
        if random.random() < 0.5:
            done, left = left, done
        if done:
            answer = call.forward(json.dumps({**request, "RequestItems": {table: done}}).encode())
            if answer.status != HTTPStatus.OK:
                # Another fault has hit it: to answer that a half is done would be a lie that AWS never tells.
                return answer
        return Reply(200, _JSON, json.dumps({"UnprocessedItems": {table: left} if left else {}}).encode())

    return hook


def refusing_entries(share: float) -> Hook:
    """Of a batch of alerts SNS takes a half; the answer is a good one and names the rest as failed."""

    def hook(call: Call) -> Reply | None:
        if call.operation != "PublishBatch" or random.random() >= share:
            return PASS
        fields = urllib.parse.parse_qsl(call.body.decode(), keep_blank_values=True)
        prefix = "PublishBatchRequestEntries.member."
        numbers = sorted(
            {int(name[len(prefix) :].split(".")[0]) for name, _ in fields if name.startswith(prefix)}
        )
        kept = {number: n + 1 for n, number in enumerate(numbers[random.randrange(2) :: 2])}
        sent, refused = [], []
        for name, value in fields:
            if not name.startswith(prefix):
                sent.append((name, value))
                continue
            number, _, rest = name[len(prefix) :].partition(".")
            if int(number) in kept:
                sent.append((f"{prefix}{kept[int(number)]}.{rest}", value))
            elif rest == "Id":
                refused.append(value)
        failed = "".join(
            f"<member><Id>{entry}</Id><Code>InternalError</Code><SenderFault>false</SenderFault></member>"
            for entry in refused
        )
        if not kept:
            return Reply(200, {"Content-Type": "text/xml"}, _NOTHING_TAKEN.replace("@", failed).encode())
        answer = call.forward(urllib.parse.urlencode(sent).encode())
        body = answer.body.decode().replace("</Failed>", f"{failed}</Failed>")
        return Reply(answer.status, answer.headers, body.encode())

    return hook


_NOTHING_TAKEN = (
    '<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishBatchResult>'
    "<Successful/><Failed>@</Failed></PublishBatchResult></PublishBatchResponse>"
)


def killing(kill: Callable[[], int], every: int, most: int, operations: set[str] | None = None) -> Hook:
    """Every so many calls, up to ``most`` times, the functions' workers die: before it is done, or after.

    ``operations`` are those that count, all unless told.
    """
    lock = threading.Lock()
    seen = [0]

    def hook(call: Call) -> Reply | None:
        if operations is not None and call.operation not in operations:
            return PASS
        with lock:
            seen[0] += 1
            turn, rest = divmod(seen[0], every)
        if rest or turn > most:
            return PASS
        if turn % 2:
            call.forward(call.body)
        kill()
        return None

    return hook


def _refusal(code: str, fields: dict[str, object]) -> Reply:
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", **fields}
    return Reply(400, _JSON, json.dumps(body).encode())
