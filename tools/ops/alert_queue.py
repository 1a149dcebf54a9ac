"""A temporary queue that is subscribed to the alerts topic, for `make demo` and `make alerts`.

A locked file in the state directory names each queue. A killed command leaves its file unlocked, so that the
next command removes what it left.
"""

import fcntl
import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tools.core.aws_errors import code_of
from tools.core.resources import Resources

# SQS deletes the messages of a killed command's queue after this many seconds.
_RETENTION_SECONDS = "3600"
_NO_QUEUE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")


@dataclass(frozen=True, slots=True)
class Notification:
    """What SNS delivered: the message, and when it was published."""

    published: str
    message: str

    @property
    def alert(self) -> dict[str, Any] | None:
        """Return the alert, or None for a message that is none."""
        try:
            alert = json.loads(self.message)
        except (ValueError, RecursionError):
            return None
        return alert if isinstance(alert, dict) else None


class AlertQueue:
    """A queue that receives alerts."""

    def __init__(self, sqs: Any, queue_url: str) -> None:
        self._sqs = sqs
        self._queue_url = queue_url

    def receive(self) -> list[Notification]:
        """Receive and delete notifications. Waits up to a second for the first one."""
        messages = self._sqs.receive_message(
            QueueUrl=self._queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1
        ).get("Messages", [])
        if messages:
            entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
            self._sqs.delete_message_batch(QueueUrl=self._queue_url, Entries=entries)
        bodies = [json.loads(message["Body"]) for message in messages]
        return [Notification(str(body.get("Timestamp", "")), body["Message"]) for body in bodies]


@contextmanager
def subscribed(
    resources: Resources, purpose: str, filter_policy: Mapping[str, Any] | None = None
) -> Iterator[AlertQueue]:
    """Subscribe a temporary queue to the alerts topic, and remove both at the end.

    Removes first what killed commands left.
    """
    directory = resources.state_dir / "alert-queues"
    directory.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(resources, directory)
    sqs = resources.client("sqs")
    name = f"{resources.queue_name[:50]}-{purpose}-{uuid.uuid4().hex[:8]}"
    record = directory / f".{name}"
    with record.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Under its final name the file is locked from the beginning.
        record = record.rename(directory / name)
        try:
            created = sqs.create_queue(
                QueueName=name, Attributes={"MessageRetentionPeriod": _RETENTION_SECONDS}
            )
            _subscribe(resources, created["QueueUrl"], filter_policy)
            yield AlertQueue(sqs, created["QueueUrl"])
        finally:
            _remove(resources, name)
            record.unlink(missing_ok=True)


def _subscribe(resources: Resources, queue_url: str, filter_policy: Mapping[str, Any] | None) -> None:
    sqs, topic = resources.client("sqs"), resources.alerts_topic_arn
    arn = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"Policy": _queue_policy(topic, arn)})
    attributes = {"FilterPolicy": json.dumps(filter_policy)} if filter_policy else {}
    resources.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)


def _remove_abandoned(resources: Resources, directory: Path) -> None:
    for record in directory.glob(f"{resources.queue_name[:50]}-*"):
        with suppress(FileNotFoundError), record.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue  # its command runs
            _remove(resources, record.name)
            record.unlink(missing_ok=True)


def _remove(resources: Resources, name: str) -> None:
    """Remove a queue and its subscription, if they exist."""
    sqs, sns = resources.client("sqs"), resources.client("sns")
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=resources.alerts_topic_arn)
    for subscription in [each for page in pages for each in page["Subscriptions"]]:
        if subscription["Endpoint"].endswith(f":{name}"):
            sns.unsubscribe(SubscriptionArn=subscription["SubscriptionArn"])
    try:
        sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"])
    except ClientError as error:
        if code_of(error) not in _NO_QUEUE:
            raise


def _queue_policy(topic_arn: str, queue_arn: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
