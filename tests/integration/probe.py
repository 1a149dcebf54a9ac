"""A small function that reports what it is called with, for tests of Lambda and of its poller."""

from __future__ import annotations

import io
import json
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from tests.integration.conftest import Pipeline
from tests.waiting import eventually

TIMEOUT = 5
# A mapping is enabled, and a new role is known, within a minute on AWS and at once on an emulator.
READY_SECONDS = 120
REPORT_SECONDS = 60
# A message whose body is this makes the function name a message that it never got as failed.
NAME_ANOTHER = "name another"
SOURCE = f"""
import importlib.util, json, os, sys
began_with_botocore = "botocore" in sys.modules
import boto3

def handler(event, _context):
    records = event.get("Records", [])
    report = {{
        "bodies": [record["body"] for record in records],
        "python": "%d.%d" % sys.version_info[:2],
        "began_with_botocore": began_with_botocore,
        "has_yaml": importlib.util.find_spec("yaml") is not None,
    }}
    if not records:
        return report
    boto3.client("sqs").send_message(QueueUrl=os.environ["REPORTS"], MessageBody=json.dumps(report))
    failed = any(record["body"] == {NAME_ANOTHER!r} for record in records)
    return {{"batchItemFailures": [{{"itemIdentifier": "no-such-message"}}] if failed else []}}
"""
ASSUMED_BY_LAMBDA = {
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": "sts:AssumeRole",
}


class Probe:
    """The function, and the queue that it reports to."""

    def __init__(self, pipeline: Pipeline, name: str, reports_url: str) -> None:
        self.name = name
        self.sqs = pipeline.sqs
        self.functions = pipeline.state.client("lambda")
        self._reports_url = reports_url
        self._reports: list[dict[str, Any]] = []

    def reports(self) -> list[dict[str, Any]]:
        """Return every report so far."""
        answer = self.sqs.receive_message(QueueUrl=self._reports_url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            self._reports.append(json.loads(message["Body"]))
            self.sqs.delete_message(QueueUrl=self._reports_url, ReceiptHandle=message["ReceiptHandle"])
        return self._reports

    def batches_with(self, *bodies: str) -> list[list[str]]:
        """Return the batches so far that held any of these bodies."""
        return [report["bodies"] for report in self.reports() if set(bodies) & set(report["bodies"])]

    def invoke(self) -> dict[str, Any]:
        """Call the function directly; return its report."""
        answer = self.functions.invoke(FunctionName=self.name, Payload=b"{}")
        report: dict[str, Any] = json.loads(answer["Payload"].read())
        return report

    @contextmanager
    def mapped(self, visibility: int = 6 * TIMEOUT, **mapping: Any) -> Iterator[str]:
        """Map a new queue to the function; yield the queue's URL."""
        with (
            queue(self.sqs, self.name, VisibilityTimeout=str(visibility)) as (url, arn),
            self._mapping(arn, FunctionResponseTypes=["ReportBatchItemFailures"], **mapping),
        ):
            yield url

    def map_and_unmap(self, arn: str) -> None:
        """Map a queue to the function, without polling it. Raises ClientError where that is refused."""
        with self._mapping(arn, Enabled=False):
            pass

    @contextmanager
    def _mapping(self, arn: str, **mapping: Any) -> Iterator[None]:
        mapped = self.functions.create_event_source_mapping(
            FunctionName=self.name, EventSourceArn=arn, **mapping
        )["UUID"]
        try:
            # LocalStack keeps one that is deleted before it has been made.
            eventually(
                lambda: (
                    self.functions.get_event_source_mapping(UUID=mapped)["State"] in ("Enabled", "Disabled")
                ),
                within=READY_SECONDS,
                what="the mapping is made",
            )
            yield
        finally:
            self.functions.delete_event_source_mapping(UUID=mapped)


@contextmanager
def queue(sqs: Any, name: str, **attributes: str) -> Iterator[tuple[str, str]]:
    """Make a queue for a while; yield its URL and ARN."""
    url = sqs.create_queue(QueueName=f"{name}-{uuid.uuid4().hex[:8]}", Attributes=attributes)["QueueUrl"]
    try:
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        yield url, found["Attributes"]["QueueArn"]
    finally:
        sqs.delete_queue(QueueUrl=url)


@contextmanager
def probe(pipeline: Pipeline, runtime: str = "python3.14") -> Iterator[Probe]:
    """Make the function, with a role that may use the queues named after it."""
    name = f"{pipeline.name}-probe-{uuid.uuid4().hex[:6]}"
    iam, functions = pipeline.state.client("iam"), pipeline.state.client("lambda")
    queues = {"Effect": "Allow", "Action": "sqs:*", "Resource": f"arn:aws:sqs:*:*:{name}-*"}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(ASSUMED_BY_LAMBDA))["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="queues", PolicyDocument=_policy(queues))
    try:
        with queue(pipeline.sqs, name) as (reports_url, _):
            eventually(
                lambda: _create(
                    functions,
                    FunctionName=name,
                    Role=role["Arn"],
                    Runtime=runtime,
                    Handler="probe.handler",
                    Timeout=TIMEOUT,
                    Code={"ZipFile": _zipped()},
                    Environment={"Variables": {"REPORTS": reports_url}},
                ),
                within=READY_SECONDS,
                what="Lambda may assume the new role",
            )
            try:
                functions.get_waiter("function_active_v2").wait(FunctionName=name)
                yield Probe(pipeline, name, reports_url)
            finally:
                functions.delete_function(FunctionName=name)
    finally:
        iam.delete_role_policy(RoleName=name, PolicyName="queues")
        iam.delete_role(RoleName=name)


def _create(functions: Any, **function: Any) -> bool:
    try:
        functions.create_function(**function)
    except ClientError as error:
        if "cannot be assumed" not in str(error):
            raise
        return False
    return True


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _zipped() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("probe.py", SOURCE)
    return content.getvalue()
