"""In-memory fakes of the AWS services that the processor uses, with real conditions and limits.

Tests inject faults with the ``fault`` attributes.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from aws_http.errors import AwsError
from processor.dynamodb import CONDITION_FAILED, TRANSACTION_CANCELED, encode_request
from tests.schemas import check_alert

# Gets an operation and its request, and raises the service's error or returns.
Fault = Callable[[str, dict[str, Any]], None]

# 400 KB for an item; 100 actions and 4 MB for a transaction; 25 items for a batch (DynamoDB API reference).
ITEM_LIMIT = 400 * 1024
# 10 messages and 256 KiB for a batch, attributes included (SNS API reference, PublishBatch).
SNS_LIMIT = 256 * 1024


def client_error(operation: str, code: str, status: int = 400, **extra: Any) -> ClientError:
    """Return an error as botocore raises it."""
    response = {"Error": {"Code": code, "Message": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError({**response, **extra}, operation)


def aws_error(code: str, status: int = 400, **fields: Any) -> AwsError:
    """Return an error as the processor's clients raise it."""
    return AwsError(code, code, status=status, fields=fields)


def canceled(reasons: list[dict[str, Any]]) -> AwsError:
    """Return the error of a cancelled transaction, with one reason for each action."""
    return aws_error(TRANSACTION_CANCELED, CancellationReasons=reasons)


def stored_size(item: dict[str, Any]) -> int:
    """Return the size of an item: names and values (DynamoDB developer guide, "item sizes and formats")."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "B":
        return len(b64decode(content) if isinstance(content, str) else content)
    if kind == "N":
        digits = len(content.replace("-", "").replace(".", "").strip("0"))
        sign = 1 if content.startswith("-") else 0
        return (digits + 1) // 2 + 1 + sign
    if kind == "SS":
        return sum(len(text.encode()) for text in content)
    if kind == "L":
        return 3 + sum(1 + _value_size(element) for element in content)
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + _value_size(element) for name, element in content.items())
    return 1


def _stored(item: dict[str, Any]) -> dict[str, Any]:
    return {name: {"B": b64decode(value["B"])} if "B" in value else value for name, value in item.items()}


class FakeDynamoDB:
    """Tables by name, items by the value of their key attribute."""

    _keys: ClassVar = {"events": "event_id", "rejected": "message_id", "duplicates": "message_id"}

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in self._keys}
        self.calls: list[str] = []
        self.fault: Fault = lambda operation, request: None
        self.item_fault: Callable[[dict[str, Any]], str | None] = lambda item: None
        self._completed_tokens: set[str] = set()
        self._request_size = 0

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        self.calls.append(operation)
        body = encode_request(request)
        self._request_size = len(body)
        parsed: dict[str, Any] = json.loads(body)
        self.fault(operation, parsed)
        if operation == "TransactWriteItems":
            return self._transact(parsed)
        operations = {
            "PutItem": self._put_item,
            "UpdateItem": self._update,
            "DeleteItem": self._delete,
            "BatchWriteItem": self._write_batch,
        }
        return operations[operation](parsed)

    def _failure(self, put: dict[str, Any]) -> dict[str, Any] | None:
        """Return the error fields if the put's condition fails, or None if it is met."""
        key = self._keys[put["TableName"]]
        existing = self.tables[put["TableName"]].get(put["Item"][key]["S"])
        if existing is None or put.get("ConditionExpression") != f"attribute_not_exists({key})":
            return None
        return {"Item": dict(existing)} if put["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD" else {}

    def _put(self, table: str, item: dict[str, Any]) -> None:
        self.tables[table][item[self._keys[table]]["S"]] = _stored(item)

    def _put_item(self, put: dict[str, Any]) -> dict[str, Any]:
        self._check([put["Item"]], 1)
        code = self.item_fault(put["Item"])
        if code:
            raise aws_error(code)
        failure = self._failure(put)
        if failure is not None:
            raise aws_error(CONDITION_FAILED, **failure)
        self._put(put["TableName"], put["Item"])
        return {}

    def _transact(self, request: dict[str, Any]) -> dict[str, Any]:
        token = request.get("ClientRequestToken")
        if token in self._completed_tokens:
            return {}
        actions = request["TransactItems"]
        self._check([action["Put"]["Item"] for action in actions if "Put" in action], 100)
        if (
            len({self._target(action) for action in actions}) < len(actions)
            or self._request_size > 4 * 1024 * 1024
        ):
            raise aws_error("ValidationException")
        reasons = [self._reason(action) for action in actions]
        if any(reason["Code"] != "None" for reason in reasons):
            raise canceled(reasons)
        for action in actions:
            if "Put" in action:
                self._put(action["Put"]["TableName"], action["Put"]["Item"])
            else:
                self._clear(action["Update"])
        if token:
            self._completed_tokens.add(token)
        return {}

    def _target(self, action: dict[str, Any]) -> tuple[str, str]:
        ((_, content),) = action.items()
        table: str = content["TableName"]
        return table, content.get("Item", content.get("Key"))[self._keys[table]]["S"]

    def _reason(self, action: dict[str, Any]) -> dict[str, Any]:
        if "Put" not in action:
            table, key = self._target(action)
            return {"Code": "None" if key in self.tables[table] else "ConditionalCheckFailed"}
        code = self.item_fault(action["Put"]["Item"])
        if code:
            return {"Code": code}
        failure = self._failure(action["Put"])
        return {"Code": "None"} if failure is None else {"Code": "ConditionalCheckFailed", **failure}

    def _clear(self, update: dict[str, Any]) -> None:
        ((_, key),) = update["Key"].items()
        self.tables[update["TableName"]][key["S"]].pop("alert_pending", None)

    def _update(self, update: dict[str, Any]) -> dict[str, Any]:
        if self._reason({"Update": update})["Code"] != "None":
            raise aws_error(CONDITION_FAILED)
        self._clear(update)
        return {}

    def _delete(self, request: dict[str, Any]) -> dict[str, Any]:
        key = request["Key"]["message_id"]["S"]
        item = self.tables[request["TableName"]].get(key)
        if item is None or item["content_hash"] != request["ExpressionAttributeValues"][":content_hash"]:
            raise aws_error(CONDITION_FAILED)
        del self.tables[request["TableName"]][key]
        return {}

    def _write_batch(self, request: dict[str, Any]) -> dict[str, Any]:
        unprocessed: dict[str, Any] = {}
        for table, writes in request["RequestItems"].items():
            items = [write["PutRequest"]["Item"] for write in writes]
            self._check(items, 25)
            if len({item[self._keys[table]]["S"] for item in items}) < len(items):
                raise aws_error("ValidationException")
            for write, item in zip(writes, items, strict=True):
                if self.item_fault(item):
                    unprocessed.setdefault(table, []).append(write)
                else:
                    self._put(table, item)
        return {"UnprocessedItems": unprocessed}

    def _check(self, items: list[dict[str, Any]], max_items: int) -> None:
        # An item is smaller than its JSON in the request.
        is_large = self._request_size > ITEM_LIMIT
        if len(items) > max_items or (is_large and any(stored_size(item) > ITEM_LIMIT for item in items)):
            raise aws_error("ValidationException")


class FakeSNS:
    """Records the published alerts, newest last, and their requests."""

    def __init__(self) -> None:
        self.published: list[dict[str, Any]] = []
        self.check: Callable[[dict[str, Any]], None] = check_alert
        self.requests: list[list[dict[str, Any]]] = []
        self.fault: Fault = lambda operation, request: None
        self.entry_fault: Callable[[dict[str, Any]], bool] = lambda alert: False

    def publish_batch(self, topic_arn: str, entries: list[dict[str, Any]]) -> dict[str, str | None]:
        self.requests.append(entries)
        self.fault("PublishBatch", {"TopicArn": topic_arn, "Entries": entries})
        if not 0 < len(entries) <= 10 or len({entry["Id"] for entry in entries}) < len(entries):
            raise aws_error("TooManyEntriesInBatchRequest")
        if sum(published_size(entry) for entry in entries) > SNS_LIMIT:
            raise aws_error("BatchRequestTooLong")
        errors: dict[str, str | None] = {}
        for entry in entries:
            alert = json.loads(text_for("sqs", entry))
            self.check(alert)
            if "MessageStructure" in entry:
                sentences = [text_for(protocol, entry) for protocol in ("email", "sms")]
                assert all(text.isprintable() for text in sentences)
                assert len(sentences[1]) <= 160
            errors[entry["Id"]] = "InternalError" if self.entry_fault(alert) else None
            if not errors[entry["Id"]]:
                self.published.append(alert)
        return errors

    def of_type(self, alert_type: str) -> list[dict[str, Any]]:
        """Return the published alerts of one type."""
        return [alert for alert in self.published if alert["alert_type"] == alert_type]


def text_for(protocol: str, entry: dict[str, Any]) -> str:
    """Return what subscribers of a protocol get of a batch entry (SNS API reference, MessageStructure)."""
    if entry.get("MessageStructure") != "json":
        return str(entry["Message"])
    structure: dict[str, str] = json.loads(entry["Message"])
    return structure.get(protocol, structure["default"])


def published_size(entry: dict[str, Any]) -> int:
    """Return the size of a batch entry: its text, and its attributes with names and types."""
    attributes = entry.get("MessageAttributes", {}).items()
    return len(entry["Message"].encode()) + sum(
        len(name.encode()) + len(value["DataType"]) + len(value["StringValue"].encode())
        for name, value in attributes
    )


class FakeS3:
    """Objects by key."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.fault: Fault = lambda operation, request: None

    def put(self, bucket: str, key: str, data: bytes, content_type: str = "") -> None:
        self.fault("PutObject", {"Key": key})
        self.objects[key] = data

    def get(self, bucket: str, key: str) -> bytes:
        self.fault("GetObject", {"Key": key})
        return self.objects[key]
