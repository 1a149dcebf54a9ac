"""`make invoke`: run the processor's handler in this process on one event, without AWS and without a stack.

A recorder answers its calls to DynamoDB, SNS and S3 as if nothing had been stored before. A debugger can stop
in the handler (CONTRIBUTING.md, "The loops").
"""

import json
import os
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from producer.own_events import parse_line
from producer.send.batching import MAX_BYTES
from storage.attributes import ALERT_PENDING, PAYLOAD
from tools.core.console import err, out, pad, safe_text, write_raw
from tools.core.errors import ToolError, UsageError, is_on
from tools.core.program import print_error, start
from tools.core.tables import Item, to_json

EXAMPLE = "make invoke BODY=event.json, or BODY=- for standard input"
# What Terraform sets, with the defaults of its variables. Benchmarks run functions with it, too.
FUNCTION_VARIABLES: dict[str, str] = json.loads(
    Path(__file__).with_name("function-variables.json").read_text("utf-8")
)
_AWS = {
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_SNS": "http://127.0.0.1:9",
}


@dataclass
class Recorder:
    """DynamoDB, SNS and S3 as the handler calls them: empty, and always successful."""

    items: dict[str, Item] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    log: list[dict[str, Any]] = field(default_factory=list)
    metrics: dict[str, Any] = field(default_factory=dict)

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Answer DynamoDB's operations on one event: it is put, then its pending flag is removed."""
        from processor.dynamodb import encode_request

        encode_request(request)  # raises what the real client would
        if operation == "PutItem":
            self.items[request["TableName"]] = dict(request["Item"])
        elif operation == "UpdateItem":
            self.items[request["TableName"]].pop(ALERT_PENDING)
        return {}

    def publish_batch(self, _topic_arn: str, entries: list[dict[str, Any]]) -> dict[str, str | None]:
        """Answer SNS's operation."""
        self.alerts += entries
        return {entry["Id"]: None for entry in entries}

    def put(self, _bucket: str, key: str, data: bytes) -> None:
        """Store an object."""
        self.objects[key] = data

    def write(self, line: str) -> None:
        """Keep a line that the function logs, and the metrics that are embedded in it."""
        fields = json.loads(line)
        for directive in fields.pop("_aws", {}).get("CloudWatchMetrics", ()):
            names = [metric["Name"] for metric in directive["Metrics"]]
            self.metrics |= {name: fields.pop(name) for name in names}
        self.log.append(fields)

    @property
    def outcome(self) -> str:
        """Return where the event is: stored, rejected, or returned to the queue by a bug of the function."""
        table = next(iter(self.items), "")
        return {"events": "stored", "rejected": "rejected"}.get(table, "returned")


def invoke(body: bytes) -> Recorder:
    """Run the handler on a message with this body. Bytes that are not UTF-8 become lone surrogates."""
    recorder = Recorder()
    record = {
        "messageId": str(uuid.uuid4()),
        "body": body.decode("utf-8", "surrogateescape"),
        "attributes": {"SentTimestamp": str(time.time_ns() // 1_000_000), "ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
    }
    context = SimpleNamespace(
        aws_request_id=str(uuid.uuid4()),
        # Time stands still, so that a debugger may.
        get_remaining_time_in_millis=lambda: 30_000,
    )
    with (
        patch.dict(os.environ, FUNCTION_VARIABLES | _AWS),
        # Only of the logs: a debugger writes to the real standard output.
        patch("common.telemetry.sys", SimpleNamespace(stdout=recorder)),
    ):
        from processor import handler
        from processor.settings import Settings

        # The module may have been imported with other variables.
        settings = Settings.read(os.environ)
        with patch.multiple(
            handler, _settings=settings, _dynamodb=recorder, _sns=recorder, _s3=lambda: recorder
        ):
            if handler.handle({"Records": [record]}, context)["batchItemFailures"]:
                recorder.items.clear()
    return recorder


def read_body(name: str) -> bytes:
    """Return the content of a file, or of standard input if the name is ``-``. Raises ToolError."""
    if not name:
        raise UsageError("BODY, the file of an event, is missing.", EXAMPLE)
    try:
        with open(0 if name == "-" else Path(name), "rb", closefd=name != "-") as file:
            body = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ToolError(f"BODY={name} cannot be read: {error.strerror}.", EXAMPLE) from None
    if len(body) > MAX_BYTES:
        raise ToolError(
            f"BODY={name} has more than 1 MiB, SQS's limit of a message.", "Send the event in parts."
        )
    return body


def show(recorder: Recorder) -> None:
    """Print for people what the handler stored, published and logged."""
    for item in recorder.items.values():
        out.print(recorder.outcome, style="bold")
        for name, value in sorted(item.items()):
            values = [f"{len(value['B']):,} bytes"] if name == PAYLOAD else _elements(value)
            for n, shown in enumerate(values):
                out.print(safe_text(f"  {pad('' if n else name, 22)} {shown}"))
    if not recorder.items:
        out.print("returned to the queue, because the function failed: see the log", style="bold red")
    for key, data in recorder.objects.items():
        out.print(safe_text(f"  {pad('(object in S3)', 22)} {key}, {len(data):,} bytes"))
    for alert_type, text, sentence in map(_alert, recorder.alerts):
        out.print(safe_text(f"alert {alert_type}", "bold"))
        for said in filter(None, (sentence, text)):
            out.print(safe_text(f"  {said}"))
    out.print("log", style="bold")
    for line in recorder.log:
        traceback = line.pop("traceback", "")
        out.print(safe_text(f"  {json.dumps(line)}"))
        out.print(traceback, end="")
    out.print("metrics", style="bold")
    metrics = (f"{name} {value}" for name, value in recorder.metrics.items() if value)
    out.print(f"  {', '.join(metrics)}")


def document(recorder: Recorder) -> bytes:
    """Return the same as one JSON object. Numbers keep their digits; binary values are in base64."""
    alerts = (
        f'{{"alert": {text}, "sentence": {json.dumps(sentence)}}}'
        for _, text, sentence in map(_alert, recorder.alerts)
    )
    parts = {
        "outcome": json.dumps(recorder.outcome),
        "items": to_json({"M": {table: {"M": item} for table, item in recorder.items.items()}}),
        "objects": json.dumps({key: len(data) for key, data in recorder.objects.items()}),
        "alerts": f"[{', '.join(alerts)}]",
        "log": json.dumps(recorder.log),
        "metrics": json.dumps(recorder.metrics),
    }
    text = ", ".join(f'"{name}": {value}' for name, value in parts.items())
    return f"{{{text}}}\n".encode("utf-8", "backslashreplace")


def _elements(value: dict[str, Any]) -> list[str]:
    """Return a value as JSON, a list as one text for each element."""
    return [to_json(element) for element in value["L"]] if "L" in value else [to_json(value)]


def _alert(entry: dict[str, Any]) -> tuple[str, str, str]:
    """Return the type of an alert, its JSON and its sentence for people, which may be empty."""
    structure = {"default": entry["Message"]}
    if "MessageStructure" in entry:
        structure = json.loads(entry["Message"])
    alert_type = entry["MessageAttributes"]["alert_type"]["StringValue"]
    return alert_type, structure["default"], structure.get("email", "")


def main() -> int:
    """Invoke the handler and print the result. The status is 1 if the message returned to the queue."""
    try:
        as_json = is_on(os.environ, "JSON")
        body = read_body(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("BODY", ""))
        message, reasons = parse_line(0, body)
        if message is None:
            why = ", ".join(reasons).replace("the line", "it")
            err.print(f"SQS itself refuses such a message: {why}.")
        recorder = invoke(body)
    except ToolError as error:
        return print_error(error)
    except KeyboardInterrupt:
        return print_error(ToolError("Stopped.", status=130))
    if as_json:
        write_raw(document(recorder))
    else:
        show(recorder)
    return int(recorder.outcome == "returned")


if __name__ == "__main__":
    start(main)
