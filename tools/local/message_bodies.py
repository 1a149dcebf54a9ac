"""Find out whether an emulator passes SQS message bodies to Lambda as they were sent.

MiniStack does. LocalStack does where its init script ``keep_bodies.py`` ended well: the script changes the
poller and succeeds only after LocalStack's own poller passed difficult bodies through. Asking for its outcome
costs one request. A LocalStack without the script gets one message with a queue and a function made for it,
which takes a few seconds and leaves nothing behind.
"""

import io
import json
import time
import urllib.request
import uuid
import zipfile
from collections.abc import Callable
from typing import Any

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

    ``client`` makes a boto3 client of the emulator. True if LocalStack did not answer the probe: contents are
    then compared, so that a loss cannot pass unseen.
    """
    return flavour != "localstack" or _script_succeeded(endpoint) or _probe(client) != "rewritten"


def _script_succeeded(endpoint: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(endpoint.rstrip("/") + "/_localstack/init/start", timeout=5) as answer:
            scripts = json.load(answer)["scripts"]
        return any(each["name"] == SCRIPT and each["state"] == "SUCCESSFUL" for each in scripts)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _probe(client: Client) -> str:
    """Send a message through a queue and function of its own. Return kept, rewritten or no answer."""
    from botocore.exceptions import BotoCoreError, ClientError

    name = f"body-probe-{uuid.uuid4().hex[:12]}"
    sqs, functions = client("sqs"), client("lambda")
    undo: list[Callable[[], object]] = []
    try:
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        undo.append(lambda: sqs.delete_queue(QueueUrl=url))
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Handler="probe.handle",
            Role=f"arn:aws:iam::{arn.split(':')[4]}:role/{name}",
            Code={"ZipFile": _zipped()},
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


def _zipped() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("probe.py", HANDLER)
    return made.getvalue()


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
