"""The texts that ``up`` and ``status`` print."""

from pathlib import Path

from tools.core.errors import ToolError
from tools.core.log import labelled
from tools.core.state import StackState
from tools.local import emulators
from tools.local.emulator import Emulator

QUEUES = {"queue_url": "queue", "dlq_url": "dead letters"}
TABLES = {"table_name": "events", "rejected_table_name": "rejected", "duplicates_table_name": "duplicates"}
OTHERS = {"function_name": "function", "alerts_topic_arn": "alerts", "payload_bucket": "payloads"}

NEXT = """\
Next:
  make demo                      send 1,000 events and account for each
  make send ARGS="--count 100"   send events with your own options
  make status                    show the content of queues and tables
  make logs                      show the function's log
  make down                      remove the stack"""


def names(state: StackState) -> str:
    """Return the names of the stack's resources, one per line."""
    lines = [labelled("endpoint", f"{state.endpoint} ({state.region})")]
    named = QUEUES | TABLES | OTHERS
    lines += [labelled(label, state.outputs[output]) for output, label in named.items()]
    return "\n".join(lines)


def status(state_dir: Path) -> str:
    """Return what runs and the content of queues and tables. Raises ToolError unless a whole stack is up."""
    started = Emulator.load(state_dir)
    if started is None:
        raise ToolError("No stack is up. Start one with: make up")
    if not emulators.is_running(started):
        raise ToolError(
            f"{started.title} on port {started.port} has stopped, and its content is lost. "
            f"Start it again with: make up"
        )
    version = emulators.health(started)
    if version is None:
        raise ToolError(
            f"{started.title} runs but does not answer on {started.endpoint}.\nStart over with: make down up"
        )
    lines = [labelled("emulator", f"{started.title}, version {version}, answers on {started.endpoint}")]
    try:
        state = StackState.load(state_dir)
    except ToolError:
        raise ToolError(
            "\n".join([*lines, "Terraform has not finished on it. Continue with: make up"])
        ) from None
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return "\n".join([*lines, *_queue_lines(state), *_table_lines(state)])
    except (BotoCoreError, ClientError) as error:
        raise ToolError(
            "\n".join([*lines, f"Its queues or tables do not answer: {error}", "Update it with: make up"])
        ) from None


def _queue_lines(state: StackState) -> list[str]:
    sqs = state.client("sqs")
    lines = []
    for output, label in QUEUES.items():
        attributes = sqs.get_queue_attributes(
            QueueUrl=state.outputs[output],
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        visible, in_flight = (int(value) for _, value in sorted(attributes.items()))
        lines.append(labelled(label, f"about {visible:,} waiting, {in_flight:,} in flight"))
    return lines


def _table_lines(state: StackState) -> list[str]:
    dynamodb = state.client("dynamodb")
    lines = []
    for output, label in TABLES.items():
        count = dynamodb.describe_table(TableName=state.outputs[output])["Table"]["ItemCount"]
        lines.append(labelled(label, f"about {count:,} items"))
    return lines
