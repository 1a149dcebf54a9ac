"""In-memory fakes of the AWS clients that the tools use."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from common.origin import sign
from contract import content_hash
from tests.fakes import client_error
from tools.core.paths import DEFAULT_STATE_DIR
from tools.core.resources import Resources

QUEUE = "http://127.0.0.1:1/000000000000/events"
DLQ = "http://127.0.0.1:1/000000000000/events-dlq"
ORIGIN_KEY = "the function's key"
FAILURES = "http://127.0.0.1:1/000000000000/archive-failures"


class FakeSQS:
    """Queues by URL. A received message is hidden until it is deleted or released."""

    def __init__(self) -> None:
        self.queues: dict[str, list[dict[str, Any]]] = {QUEUE: [], DLQ: [], FAILURES: []}
        self._ids = (f"new-{number}" for number in itertools.count(1))
        # Returns the error of a batch entry, or None: a code, and whether it is the sender's fault.
        self.failure_of: Callable[[dict[str, Any]], tuple[str, bool] | None] = lambda entry: None
        self.before_delete: Callable[[], None] = lambda: None
        self.sent_batches: list[int] = []
        self.tasks: list[dict[str, Any]] | None = None

    def put(self, url: str, *bodies: str, **attributes: dict[str, Any]) -> list[str]:
        """Put messages into a queue and return their ids."""
        ids = []
        for body in bodies:
            ids.append(next(self._ids))
            self.queues[url].append(_message(ids[-1], body, attributes))
        return ids

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: list[str]) -> Any:  # noqa: N803
        hidden = sum(message["hidden"] for message in self.queues[QueueUrl])
        known = {
            "ApproximateNumberOfMessages": str(len(self.queues[QueueUrl]) - hidden),
            "ApproximateNumberOfMessagesNotVisible": str(hidden),
            "ApproximateNumberOfMessagesDelayed": "0",
            "QueueArn": f"arn:{QueueUrl.rsplit('/', 1)[-1]}",
        }
        return {"Attributes": {name: known[name] for name in AttributeNames}}

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> Any:  # noqa: N803
        self.sent_batches.append(len(Entries))
        failed = []
        for entry in Entries:
            failure = self.failure_of(entry)
            if failure:
                failed.append({"Id": entry["Id"], "Code": failure[0], "SenderFault": failure[1]})
            else:
                self.put(QueueUrl, entry["MessageBody"], **entry["MessageAttributes"])
        return {"Failed": failed} if failed else {}

    def receive_message(self, QueueUrl: str, MaxNumberOfMessages: int, **_: Any) -> Any:  # noqa: N803
        visible = [message for message in self.queues[QueueUrl] if not message["hidden"]]
        received = visible[:MaxNumberOfMessages]
        for message in received:
            message["hidden"] = True
        return {"Messages": [dict(message) for message in received]} if received else {}

    def delete_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> Any:  # noqa: N803
        self.before_delete()
        deleted = {entry["ReceiptHandle"] for entry in Entries}
        self.queues[QueueUrl] = [m for m in self.queues[QueueUrl] if m["ReceiptHandle"] not in deleted]
        return {}

    def change_message_visibility_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> Any:  # noqa: N803
        released = {entry["ReceiptHandle"] for entry in Entries}
        for message in self.queues[QueueUrl]:
            message["hidden"] = message["hidden"] and message["ReceiptHandle"] not in released
        return {}

    def list_message_move_tasks(self, SourceArn: str, MaxResults: int) -> Any:  # noqa: N803
        if self.tasks is None:
            raise client_error("ListMessageMoveTasks", "InvalidAction")
        return {"Results": self.tasks[:MaxResults]}

    def start_message_move_task(self, **request: Any) -> Any:
        assert self.tasks is not None
        moved = len(self.queues[DLQ])
        for message in self.queues[DLQ]:
            self.put(QUEUE, message["Body"], **message["MessageAttributes"])
        self.queues[DLQ] = []
        task = {"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": moved, "StartedTimestamp": 2}
        self.tasks.insert(0, {**task, "request": request})
        return {}


def _message(message_id: str, body: str, attributes: dict[str, Any]) -> dict[str, Any]:
    return {
        "MessageId": message_id,
        "ReceiptHandle": f"receipt-{message_id}",
        "Body": body,
        "MessageAttributes": attributes,
        "hidden": False,
    }


class FakeDynamoDB:
    """Tables by name, items in order. A page has two items, so that every reader has to page."""

    keys = {"events": "event_id", "rejected": "message_id", "duplicates": "message_id"}  # noqa: RUF012

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in self.keys}
        self.unprocessed_once = False
        self.queries: list[dict[str, Any]] = []

    def put(self, table: str, **attributes: dict[str, Any]) -> None:
        """Put an item into a table."""
        self.tables[table][attributes[self.keys[table]]["S"]] = attributes

    def describe_table(self, TableName: str) -> Any:  # noqa: N803
        return {"Table": {"ItemCount": len(self.tables[TableName])}}

    def scan(self, TableName: str, **request: Any) -> Any:  # noqa: N803
        segment, segments = request.get("Segment", 0), request.get("TotalSegments", 1)
        key = self.keys[TableName]
        names = list(self.tables[TableName])
        mine = [name for index, name in enumerate(names) if index % segments == segment]
        start = request.get("ExclusiveStartKey")
        first = mine.index(start[key]["S"]) + 1 if start else 0
        page = mine[first : first + 2]
        items = [self.tables[TableName][name] for name in page]
        answer: dict[str, Any] = {"Items": items}
        if first + 2 < len(mine):
            answer["LastEvaluatedKey"] = {key: {"S": page[-1]}}
        return answer

    def query(self, TableName: str, ExclusiveStartKey: Any = None, **request: Any) -> Any:  # noqa: N803
        self.queries.append(request)
        names, values = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
        assert request["KeyConditionExpression"] == "#key = :key AND #time BETWEEN :since AND :until"
        assert request["ScanIndexForward"] is False
        key, time = names["#key"], names["#time"]
        matching = [item for item in self.tables[TableName].values() if item.get(key) == values[":key"]]
        matching = [
            item for item in matching if values[":since"]["S"] <= item[time]["S"] <= values[":until"]["S"]
        ]
        matching.sort(key=lambda item: str(item[time]["S"]), reverse=True)
        first = matching.index(ExclusiveStartKey) + 1 if ExclusiveStartKey else 0
        page = matching[first : first + min(2, request.get("Limit", 2))]
        where = request.get("FilterExpression", "#key = :key").split(" AND ")
        equal = [condition.split(" = ") for condition in where]
        items = [item for item in page if all(item.get(names[a]) == values[v] for a, v in equal)]
        answer: dict[str, Any] = {"Items": items}
        if first + len(page) < len(matching):
            answer["LastEvaluatedKey"] = page[-1]
        return answer

    def get_item(self, TableName: str, Key: dict[str, Any], **_: Any) -> Any:  # noqa: N803
        item = self.tables[TableName].get(Key[self.keys[TableName]]["S"])
        return {"Item": item} if item else {}

    def batch_get_item(self, RequestItems: dict[str, Any]) -> Any:  # noqa: N803
        ((table, request),) = RequestItems.items()
        keys = request["Keys"]
        later = keys[1:] if self.unprocessed_once else []
        self.unprocessed_once = False
        key = self.keys[table]
        names = [k[key]["S"] for k in keys[: len(keys) - len(later)]]
        items = [self.tables[table][name] for name in names if name in self.tables[table]]
        return {
            "Responses": {table: items},
            "UnprocessedKeys": {table: {**request, "Keys": later}} if later else {},
        }


class FakeS3:
    """Objects by key."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def get_object(self, Bucket: str, Key: str) -> Any:  # noqa: N803
        if Key not in self.objects:
            raise client_error("GetObject", "NoSuchKey", 404)
        return {"Body": SimpleNamespace(read=lambda limit=None: self.objects[Key][:limit])}

    def put_object(self, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:  # noqa: N803
        self.objects[Key] = Body

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_objects_v2"

        def paginate(Bucket: str, Prefix: str) -> Any:  # noqa: N803
            pages = [{"Contents": [{"Key": key}]} for key in self.objects if key.startswith(Prefix)]
            return pages or [{}]

        return SimpleNamespace(paginate=paginate)


class FakeLambda:
    """The processor's configuration, with the key that signs origins."""

    def get_function_configuration(self, FunctionName: str) -> Any:  # noqa: N803
        assert FunctionName == "processor"
        return {"Environment": {"Variables": {"ORIGIN_KEY": ORIGIN_KEY}}}


class FakeLogs:
    """A log group. A page has two events and a next token, which MiniStack leaves out."""

    exceptions = SimpleNamespace(ResourceNotFoundException=ClientError)

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.exists = True
        self.gives_tokens = True

    def write(self, millis: int, message: str, stream: str = "one") -> None:
        """Add a line."""
        self.events.append({"timestamp": millis, "message": message, "logStreamName": stream})

    def filter_log_events(self, **request: Any) -> Any:
        if not self.exists:
            raise client_error("FilterLogEvents", "ResourceNotFoundException")
        events = [event for event in self.events if event["timestamp"] >= request["startTime"]]
        events.sort(key=lambda event: event["timestamp"])
        first = int(request.get("nextToken", 0))
        page: dict[str, Any] = {"events": events[first : first + 2]}
        if self.gives_tokens and first + 2 < len(events):
            page["nextToken"] = str(first + 2)
        return page


def signed(origin_id: str, body: str) -> dict[str, Any]:
    """Return the attributes of a copy with this origin and this body."""
    values = {
        "origin_message_id": origin_id,
        "origin_signature": sign(ORIGIN_KEY, origin_id, content_hash(body)),
    }
    return {name: {"DataType": "String", "StringValue": value} for name, value in values.items()}


def pipeline(
    *,
    endpoint: str | None = None,
    state_dir: Path = DEFAULT_STATE_DIR,
    archive: bool = False,
    **clients: Any,
) -> Resources:
    """Return the resources of a pipeline with these clients. The archive and payload buckets are one fake."""
    return Resources(
        endpoint=endpoint,
        state_dir=state_dir,
        region="us-east-1",
        queue_url=QUEUE,
        dlq_url=DLQ,
        table_name="events",
        rejected_table_name="rejected",
        duplicates_table_name="duplicates",
        alerts_topic_arn="arn:alerts",
        ops_topic_arn="arn:ops",
        function_name="processor",
        payload_bucket="payloads",
        archiver_function_name="archiver" if archive else "",
        archive_bucket="archive" if archive else "",
        archive_failures_queue_url=FAILURES if archive else "",
        clients={"lambda": FakeLambda(), **clients},
    )
