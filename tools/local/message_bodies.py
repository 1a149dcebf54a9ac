"""Detect whether an emulator passes SQS message bodies to Lambda unchanged.

MiniStack does. LocalStack does if its init script ``keep_bodies.py`` succeeded, which one request tells. For
a LocalStack without the script, a message is sent through a temporary queue and function, which takes a few
seconds.
"""

import io
import json
import time
import uuid
import zipfile
from collections.abc import Callable
from typing import Any

from tools.core.http import direct_opener

SCRIPT = "keep_bodies.py"
NOT_COMPARED = "content not compared: this LocalStack rewrites bodies"
REMEDY = f"mount tools/local/{SCRIPT} in its /etc/localstack/init/start.d, as docker-compose.yml does"
PROBE = '{ "amount": 10.10 }'
PROBE_SECONDS = 60
HANDLER = f"""
def handle(event, context):
    print("PROBE", "kept" if event["Records"][0]["body"] == {PROBE!r} else "rewritten")
"""

Client = Callable[[str], Any]


def are_kept(endpoint: str, flavour: str, client: Client) -> bool:
    """Return False if the emulator at ``endpoint`` rewrites bodies.

    ``client`` creates a boto3 client for a service. Returns True if LocalStack did not answer the probe, so
    that contents are compared and no loss goes unnoticed.
    """
    return flavour != "localstack" or _script_succeeded(endpoint) or _probe(client) != "rewritten"


def _script_succeeded(endpoint: str) -> bool:
    opener = direct_opener()
    try:
        with opener.open(endpoint.rstrip("/") + "/_localstack/init/start", timeout=5) as answer:
            scripts = json.load(answer)["scripts"]
        return any(each["name"] == SCRIPT and each["state"] == "SUCCESSFUL" for each in scripts)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _probe(client: Client) -> str:
    """Send a message through a temporary queue and function. Return kept, rewritten or no answer."""
    from botocore.exceptions import BotoCoreError, ClientError

    name = f"body-probe-{uuid.uuid4().hex[:12]}"
    sqs, functions = client("sqs"), client("lambda")
    undo: list[Callable[[], object]] = []
    with zipfile.ZipFile(zipped := io.BytesIO(), "w") as archive:
        archive.writestr("probe.py", HANDLER)
    try:
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        undo.append(lambda: sqs.delete_queue(QueueUrl=url))
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        functions.create_function(
            FunctionName=name,
            Runtime="python3.14",
            Handler="probe.handle",
            Role=f"arn:aws:iam::{arn.split(':')[4]}:role/{name}",
            Code={"ZipFile": zipped.getvalue()},
        )
        undo.append(lambda: client("logs").delete_log_group(logGroupName=f"/aws/lambda/{name}"))
        undo.append(lambda: functions.delete_function(FunctionName=name))
        functions.get_waiter("function_active_v2").wait(FunctionName=name)
        mapping = functions.create_event_source_mapping(EventSourceArn=arn, FunctionName=name)["UUID"]
        undo.append(lambda: functions.delete_event_source_mapping(UUID=mapping))
        sqs.send_message(QueueUrl=url, MessageBody=PROBE)
        return _answer(client("logs"), f"/aws/lambda/{name}")
    except (BotoCoreError, ClientError):
        return "no answer"
    finally:
        for step in reversed(undo):
            try:
                step()
            except (BotoCoreError, ClientError):
                continue


def _answer(logs: Any, group: str) -> str:
    deadline = time.monotonic() + PROBE_SECONDS
    while time.monotonic() < deadline:
        try:
            events = logs.filter_log_events(logGroupName=group)["events"]
        except logs.exceptions.ResourceNotFoundException:
            events = []
        for event in events:
            if event["message"].startswith("PROBE "):
                return str(event["message"].split()[1])
        time.sleep(0.5)
    return "no answer"
