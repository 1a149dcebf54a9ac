"""Conditional writes: an item is created once, and every later put of its key learns what is there.

Small items are written together in one TransactWriteItems, each under its own condition: one request for a
batch. A transaction costs two write units for each KB, so an item above `SHARED_ITEM_LIMIT` is written by a
PutItem under the same condition, because there the second unit would cost more than the request saves.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from aws_http.errors import AwsError
from common.deadline import Deadline
from processor.dynamodb import CONDITION_FAILED, TRANSACTION_CANCELED
from storage.attributes import ALERT_PENDING
from storage.sizes import Item, item_size

SHARED_ITEM_LIMIT = 2 * 1024
# TransactWriteItems: 100 actions, 4 MB (DynamoDB API reference). 100 items of 2 KiB are far below that.
_ACTIONS = 100
# BatchWriteItem: 25 items (DynamoDB API reference).
_BATCH = 25
_ROUNDS = 4
_FIRST_PAUSE = 0.05

# Codes of one action of a transaction that may not recur; `AwsError.retryable` knows those of a call.
_RETRYABLE = {
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
    "TransactionConflict",
}


@dataclass(frozen=True, slots=True)
class Created:
    """The item is stored, by this call."""


@dataclass(frozen=True, slots=True)
class Exists:
    """An item has the key, so this one was not written. Binary values are bytes.

    ``retried`` says that the request was sent twice, so that the first one may have written the item.
    """

    item: Item
    retried: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """It is not known whether the item is stored: throttled, refused, timed out or no time left."""

    why: str


Outcome = Created | Exists | Failed


class Put(NamedTuple):
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
    """DynamoDB, as `Store` uses it (see `processor.dynamodb`)."""

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]: ...


class Store:
    """The three tables. An expired deadline fails a write."""

    def __init__(self, dynamodb: Tables, deadline: Deadline) -> None:
        self._dynamodb = dynamodb
        self._deadline = deadline

    def create(self, puts: list[Put]) -> list[Outcome]:
        """Create each item unless its key is taken. Keys must be distinct. Returns one outcome for each put.

        Raises nothing: an error is the outcome of the puts that it hit.
        """
        outcomes: dict[int, Outcome] = {}
        shared = [n for n, put in enumerate(puts) if item_size(put.item) <= SHARED_ITEM_LIMIT]
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
        except AwsError as error:
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
        # Puts that other items' throttling or conflicts have delayed are tried once more, each alone.
        return outcomes | {n: self._create_alone(put) for n, put in left.items()}

    def _transact(self, puts: dict[int, Put], outcomes: dict[int, Outcome]) -> bool:
        """Try one transaction and add the outcomes that are known. Returns whether to wait before another."""
        if not self._deadline.allows_call():
            outcomes |= {n: Failed("no time left") for n in puts}
            return False
        request = {
            "TransactItems": [{"Put": put.request()} for put in puts.values()],
            # A retry of this request succeeds if the first one did.
            "ClientRequestToken": uuid.uuid4().hex,
        }
        try:
            self._dynamodb.call("TransactWriteItems", request)
        except AwsError as error:
            if error.code == TRANSACTION_CANCELED:
                return self._sort_out(list(puts), error.fields.get("CancellationReasons") or [], outcomes)
            if error.retryable:
                outcomes |= {n: Failed(str(error)) for n in puts}
            else:
                # The request was refused: sent alone, only the put that caused it is refused again.
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
            elif code in _RETRYABLE:
                delayed = True
            elif code != "None":
                outcomes[n] = Failed(f"{code}: {reason.get('Message', '')}"[:200])
        return delayed or not any(n in outcomes for n in numbers)

    def _back_off(self, attempt: int) -> None:
        self._deadline.pause(random.uniform(0, _FIRST_PAUSE * 2**attempt))  # noqa: S311 - jitter

    def write(self, table: str, items: list[Item]) -> list[bool]:
        """Write items whose keys are free or have the same item. Returns for each whether it is stored."""
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
                except AwsError:
                    break
                unprocessed = (answer.get("UnprocessedItems") or {}).get(table) or []
                again = {request["PutRequest"]["Item"]["message_id"]["S"] for request in unprocessed}
                for n in left:
                    stored[n] = items[n]["message_id"]["S"] not in again
                left = [n for n in left if not stored[n]]
        return stored

    def clear_alert_pending(self, table: str, key: str, ids: list[str], *, large: bool) -> None:
        """Remove the pending flags of alerts that were published. Best effort: raises nothing.

        ``large`` items are written one by one, because a transaction would cost twice their write units.
        """
        updates = [
            {
                "TableName": table,
                "Key": {key: {"S": value}},
                "UpdateExpression": f"REMOVE {ALERT_PENDING}",
                # Without it, an update of an item that was deleted meanwhile would create an empty item.
                "ConditionExpression": f"attribute_exists({key})",
            }
            for value in ids
        ]
        for chunk in _chunks(updates, 1 if large else _ACTIONS):
            self._update(chunk)

    def _update(self, updates: list[dict[str, Any]]) -> None:
        # A flag that stays makes the next copy of the event alert again, so this is tried more than once.
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
            except AwsError as error:
                if error.code == CONDITION_FAILED:
                    return
                self._back_off(attempt)
            else:
                return
        for update in updates if len(updates) > 1 else ():
            if not self._deadline.allows_call():
                return
            with suppress(AwsError):
                self._dynamodb.call("UpdateItem", update)

    def delete_rejected(self, table: str, message_id: str, content_hash: str) -> bool:
        """Delete a rejected item if it has this content. Returns False if the call failed."""
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
        except AwsError as error:
            return error.code == CONDITION_FAILED
        return True


def _chunks(values: Iterable[Any], size: int) -> Iterator[list[Any]]:
    listed = list(values)
    for start in range(0, len(listed), size):
        yield listed[start : start + size]
