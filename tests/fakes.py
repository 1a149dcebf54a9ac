"""In-memory stand-ins for the AWS clients that the processor uses: real conditions, faults on demand."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar

from botocore.exceptions import ClientError

# Given an operation and its request; raises what the service would answer, or returns nothing.
Fault = Callable[[str, dict[str, Any]], None]


def client_error(operation: str, code: str, status: int = 400, **extra: Any) -> ClientError:
    """An error as botocore raises it."""
    response = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError({**response, **extra}, operation)


class ConditionalCheckFailed(ClientError):  # type: ignore[misc]
    """DynamoDB's answer to a condition that does not hold."""


class TransactionCanceled(ClientError):  # type: ignore[misc]
    """DynamoDB's answer to a transaction of which any action failed."""


def _stored(item: dict[str, Any]) -> dict[str, Any]:
    return {name: {"B": b64decode(value["B"])} if "B" in value else value for name, value in item.items()}


class FakeDynamoDB:
    """Tables by name, items by the value of their one key attribute."""

    exceptions = SimpleNamespace(
        ConditionalCheckFailedException=ConditionalCheckFailed,
        TransactionCanceledException=TransactionCanceled,
    )
    _keys: ClassVar = {"events": "event_id", "rejected": "message_id", "duplicates": "message_id"}

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in self._keys}
        self.calls: list[str] = []
        self.fault: Fault = lambda operation, request: None
        self.item_fault: Callable[[dict[str, Any]], str | None] = lambda item: None

    def _begin(self, operation: str, body: bytes) -> dict[str, Any]:
        self.calls.append(operation)
        request: dict[str, Any] = json.loads(body)
        self.fault(operation, request)
        return request

    def _existing(self, put: dict[str, Any]) -> dict[str, Any] | None:
        table = put["TableName"]
        return self.tables[table].get(put["Item"][self._keys[table]]["S"])

    def _put(self, table: str, item: dict[str, Any]) -> None:
        self.tables[table][item[self._keys[table]]["S"]] = _stored(item)

    def put_item(self, _body: bytes) -> dict[str, Any]:
        put = self._begin("PutItem", _body)
        code = self.item_fault(put["Item"])
        if code:
            raise client_error("PutItem", code)
        existing = self._existing(put)
        if existing is not None:
            raise ConditionalCheckFailed(
                {"Error": {"Code": "ConditionalCheckFailedException"}, "Item": existing}, "PutItem"
            )
        self._put(put["TableName"], put["Item"])
        return {}

    def transact_write_items(self, _body: bytes) -> dict[str, Any]:
        request = self._begin("TransactWriteItems", _body)
        reasons = [self._reason(action) for action in request["TransactItems"]]
        if any(reason["Code"] != "None" for reason in reasons):
            response = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
            raise TransactionCanceled(response, "TransactWriteItems")
        for action in request["TransactItems"]:
            if "Put" in action:
                self._put(action["Put"]["TableName"], action["Put"]["Item"])
            else:
                self._clear(action["Update"])
        return {}

    def _reason(self, action: dict[str, Any]) -> dict[str, Any]:
        if "Put" not in action:
            return {"Code": "None"}
        code = self.item_fault(action["Put"]["Item"])
        if code:
            return {"Code": code}
        existing = self._existing(action["Put"])
        return {"Code": "None"} if existing is None else {"Code": "ConditionalCheckFailed", "Item": existing}

    def _clear(self, update: dict[str, Any]) -> None:
        ((_, key),) = update["Key"].items()
        self.tables[update["TableName"]][key["S"]].pop("alert_pending", None)

    def update_item(self, _body: bytes) -> dict[str, Any]:
        self._clear(self._begin("UpdateItem", _body))
        return {}

    def delete_item(self, _body: bytes) -> dict[str, Any]:
        request = self._begin("DeleteItem", _body)
        key = request["Key"]["message_id"]["S"]
        item = self.tables[request["TableName"]].get(key)
        if item is None or item["content_hash"] != request["ExpressionAttributeValues"][":content_hash"]:
            raise ConditionalCheckFailed({"Error": {"Code": "ConditionalCheckFailedException"}}, "DeleteItem")
        del self.tables[request["TableName"]][key]
        return {}

    def batch_write_item(self, _body: bytes) -> dict[str, Any]:
        request = self._begin("BatchWriteItem", _body)
        unprocessed: dict[str, Any] = {}
        for table, writes in request["RequestItems"].items():
            for write in writes:
                if self.item_fault(write["PutRequest"]["Item"]):
                    unprocessed.setdefault(table, []).append(write)
                else:
                    self._put(table, write["PutRequest"]["Item"])
        return {"UnprocessedItems": unprocessed}


class FakeSNS:
    """Keeps what was published, newest last, as (alert, attributes)."""

    def __init__(self) -> None:
        self.published: list[dict[str, Any]] = []
        self.requests: list[list[dict[str, Any]]] = []
        self.fault: Fault = lambda operation, request: None
        self.entry_fault: Callable[[dict[str, Any]], bool] = lambda alert: False

    def publish_batch(self, TopicArn: str, PublishBatchRequestEntries: list[Any]) -> dict[str, Any]:  # noqa: N803
        self.requests.append(PublishBatchRequestEntries)
        self.fault("PublishBatch", {"TopicArn": TopicArn})
        good, bad = [], []
        for entry in PublishBatchRequestEntries:
            alert = json.loads(entry["Message"])
            if self.entry_fault(alert):
                bad.append({"Id": entry["Id"], "Code": "InternalError", "SenderFault": False})
            else:
                self.published.append(alert)
                good.append({"Id": entry["Id"], "MessageId": "m"})
        return {"Successful": good, "Failed": bad}

    def of_type(self, alert_type: str) -> list[dict[str, Any]]:
        """The published alerts of one type."""
        return [alert for alert in self.published if alert["alert_type"] == alert_type]


class FakeS3:
    """Objects by key."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.fault: Fault = lambda operation, request: None

    def put_object(self, Bucket: str, Key: str, Body: bytes) -> dict[str, Any]:  # noqa: N803
        self.fault("PutObject", {"Key": Key})
        self.objects[Key] = Body
        return {}

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        self.fault("GetObject", {"Key": Key})
        return {"Body": SimpleNamespace(read=lambda: self.objects[Key])}
