"""Conditional writes: an item is created once, and whoever comes second is told what is there.

Small items go together in one TransactWriteItems, each under its own condition: one request for a batch.
A transaction costs two write units for each KB, so an item above `SHARED_ITEM_LIMIT` goes alone, in a
PutItem under the same condition, where the second unit would cost more than the request saves.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from processor.aws import CallError
from processor.deadline import Deadline
from processor.dynamodb import CONDITION_FAILED, TRANSACTION_CANCELED
from processor.items import Item, size_of

SHARED_ITEM_LIMIT = 2 * 1024
# TransactWriteItems: 100 actions, 4 MB (DynamoDB API reference). 100 items of 2 KiB are far below that.
_ACTIONS = 100
# BatchWriteItem: 25 items (DynamoDB API reference).
_BATCH = 25
_ROUNDS = 4
_FIRST_PAUSE = 0.05

# What is wrong with one action of a transaction and passes by itself; CallError knows what is with a call.
_PASSING = {
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
    "TransactionConflict",
}


@dataclass(frozen=True, slots=True)
class Created:
    """The item is stored, by this call."""


@dataclass(frozen=True, slots=True)
class Exists:
    """An item has the key; this one was not written. Binary values are bytes.

    ``retried`` says that the request was sent twice: what is there may be what the first one wrote.
    """

    item: Item
    retried: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """Not known to be stored: throttled, refused, timed out or out of time."""

    why: str


Outcome = Created | Exists | Failed


@dataclass(frozen=True, slots=True)
class Put:
    """An item to create in a table whose partition key is ``key``."""

    table: str
    key: str
    item: Item

    def request(self) -> dict[str, Any]:
        """The parameters that PutItem and a transaction's Put share."""
        return {
            "TableName": self.table,
            "Item": self.item,
            "ConditionExpression": f"attribute_not_exists({self.key})",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }


class Tables(Protocol):
    """DynamoDB, as the function uses it: see ``processor.dynamodb``."""

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]: ...


class Store:
    """The tables, and who may write what to them when."""

    def __init__(self, dynamodb: Tables, deadline: Deadline) -> None:
        self._dynamodb = dynamodb
        self._deadline = deadline

    def create(self, puts: list[Put]) -> list[Outcome]:
        """Create items, each unless its key is taken. Keys must be distinct. One outcome for each put.

        Raises nothing: what goes wrong is the outcome of the put that it happened to.
        """
        outcomes: dict[int, Outcome] = {}
        shared = [n for n, put in enumerate(puts) if size_of(put.item) <= SHARED_ITEM_LIMIT]
        together = set(shared) if len(shared) > 1 else set()
        for chunk in _chunks(shared if together else [], _ACTIONS):
            outcomes |= self._create_together({n: puts[n] for n in chunk})
        for n, put in enumerate(puts):
            if n not in together:
                outcomes[n] = self._create_alone(put)
        return [outcomes[n] for n in range(len(puts))]

    def _create_alone(self, put: Put) -> Outcome:
        if not self._deadline.allows_call():
            return Failed("no time left")
        try:
            self._dynamodb.call("PutItem", put.request())
        except CallError as error:
            if error.code == CONDITION_FAILED:
                return Exists(error.fields.get("Item") or {}, retried=error.retries > 0)
            return Failed(str(error))
        return Created()

    def _create_together(self, puts: dict[int, Put]) -> dict[int, Outcome]:
        outcomes: dict[int, Outcome] = {}
        left = dict(puts)
        for attempt in range(_ROUNDS):
            delayed = self._transact(left, outcomes)
            left = {n: put for n, put in left.items() if n not in outcomes}
            if not left:
                return outcomes
            if delayed:
                self._back_off(attempt)
        # What a neighbour's throttling or conflict has held up so far is tried once more on its own.
        return outcomes | {n: self._create_alone(put) for n, put in left.items()}

    def _transact(self, puts: dict[int, Put], outcomes: dict[int, Outcome]) -> bool:
        """One transaction. Fills in the outcomes that are known; True when another try should wait."""
        if not self._deadline.allows_call():
            outcomes |= {n: Failed("no time left") for n in puts}
            return False
        request = {
            "TransactItems": [{"Put": put.request()} for put in puts.values()],
            # A retry of this call finds the transaction done, not its own items in the way.
            "ClientRequestToken": uuid.uuid4().hex,
        }
        try:
            self._dynamodb.call("TransactWriteItems", request)
        except CallError as error:
            if error.code == TRANSACTION_CANCELED:
                return self._sort_out(list(puts), error.fields.get("CancellationReasons") or [], outcomes)
            if error.passing:
                outcomes |= {n: Failed(str(error)) for n in puts}
            else:
                # The request itself was refused: alone, only the put that is to blame is refused again.
                outcomes |= {n: self._create_alone(put) for n, put in puts.items()}
            return False
        outcomes |= {n: Created() for n in puts}
        return False

    def _sort_out(
        self, numbers: list[int], reasons: list[dict[str, Any]], outcomes: dict[int, Outcome]
    ) -> bool:
        delayed = False
        for n, reason in zip(numbers, reasons, strict=False):
            code = reason.get("Code") or "None"
            if code == "ConditionalCheckFailed":
                outcomes[n] = Exists(reason.get("Item") or {})
            elif code in _PASSING:
                delayed = True
            elif code != "None":
                outcomes[n] = Failed(f"{code}: {reason.get('Message', '')}"[:200])
        return delayed or not any(n in outcomes for n in numbers)

    def _back_off(self, attempt: int) -> None:
        self._deadline.pause(random.uniform(0, _FIRST_PAUSE * 2**attempt))  # noqa: S311 - jitter

    def write(self, table: str, items: list[Item]) -> list[bool]:
        """Write items whose keys are free or hold the same already. Says of each whether it is stored."""
        stored = [False] * len(items)
        for chunk in _chunks(range(len(items)), _BATCH):
            left = list(chunk)
            for attempt in range(_ROUNDS):
                if not left or not self._deadline.allows_call():
                    break
                if attempt:
                    self._back_off(attempt)
                request = {"RequestItems": {table: [{"PutRequest": {"Item": items[n]}} for n in left]}}
                try:
                    answer = self._dynamodb.call("BatchWriteItem", request)
                except CallError:
                    break
                unprocessed = (answer.get("UnprocessedItems") or {}).get(table) or []
                again = {request["PutRequest"]["Item"]["message_id"]["S"] for request in unprocessed}
                for n in left:
                    stored[n] = items[n]["message_id"]["S"] not in again
                left = [n for n in left if not stored[n]]
        return stored

    def clear_alert(self, table: str, key: str, ids: list[str], *, large: bool) -> None:
        """Remove the mark that says an alert is still to be published. Best effort: raises nothing.

        ``large`` items are written one by one: a transaction would pay for all of each of them twice.
        """
        updates = [
            {
                "TableName": table,
                "Key": {key: {"S": value}},
                "UpdateExpression": "REMOVE alert_pending",
                # Without it, clearing a mark on an item deleted meanwhile would create an empty one.
                "ConditionExpression": f"attribute_exists({key})",
            }
            for value in ids
        ]
        for chunk in _chunks(updates, 1 if large else _ACTIONS):
            self._update(chunk)

    def _update(self, updates: list[dict[str, Any]]) -> None:
        # A mark that stays makes the next copy of the event alert again, so this is worth more than one try.
        together = {"TransactItems": [{"Update": update} for update in updates]}
        for attempt in range(_ROUNDS):
            if not self._deadline.allows_call():
                return
            try:
                if len(updates) > 1:
                    token = {"ClientRequestToken": uuid.uuid4().hex}
                    self._dynamodb.call("TransactWriteItems", together | token)
                else:
                    self._dynamodb.call("UpdateItem", updates[0])
            except CallError as error:
                if error.code == CONDITION_FAILED:
                    return
                self._back_off(attempt)
            else:
                return
        for update in updates if len(updates) > 1 else ():
            if not self._deadline.allows_call():
                return
            with suppress(CallError):
                self._dynamodb.call("UpdateItem", update)

    def delete_rejected(self, table: str, message_id: str, content_hash: str) -> bool:
        """Delete a rejected item if it holds this content. False when the call failed and must be retried."""
        if not self._deadline.allows_call():
            return False
        request = {
            "TableName": table,
            "Key": {"message_id": {"S": message_id}},
            "ConditionExpression": "content_hash = :content_hash",
            "ExpressionAttributeValues": {":content_hash": {"S": content_hash}},
        }
        try:
            self._dynamodb.call("DeleteItem", request)
        except CallError as error:
            return error.code == CONDITION_FAILED
        return True


def _chunks(values: Iterable[Any], size: int) -> Iterator[list[Any]]:
    listed = list(values)
    for start in range(0, len(listed), size):
        yield listed[start : start + size]
