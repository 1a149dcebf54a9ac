"""The texts that ``up`` and ``status`` print."""

import json
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


def hung(started: Emulator) -> ToolError:
    """Return the error of an emulator that runs without answering."""
    return ToolError(
        f"{started.title} runs but does not answer on {started.endpoint}.",
        "It may be busy: try again in a minute. To give it up, with all events that it holds: make down up",
    )


def status(state_dir: Path, *, as_json: bool = False) -> str:
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
        raise hung(started)
    lines = [labelled("emulator", f"{started.title}, version {version}, answers on {started.endpoint}")]
    try:
        state = StackState.load(state_dir)
    except ToolError:
        raise ToolError(
            "\n".join([*lines, "Terraform has not finished on it. Continue with: make up"])
        ) from None
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        queues, tables = _queues(state), _tables(state)
    except (BotoCoreError, ClientError) as error:
        raise ToolError(
            "\n".join([*lines, f"Its queues or tables do not answer: {error}", "Update it with: make up"])
        ) from None
    if as_json:
        emulator = {"emulator": started.flavour, "version": version, "endpoint": started.endpoint}
        return json.dumps({**emulator, "queues": queues, "tables": tables})
    for label, depth in queues.items():
        lines.append(labelled(label, f"about {depth['waiting']:,} waiting, {depth['in_flight']:,} in flight"))
    lines += [labelled(label, f"about {count:,} items") for label, count in tables.items()]
    return "\n".join(lines)


def _queues(state: StackState) -> dict[str, dict[str, int]]:
    # Imported here because it needs boto3, and `make down` does not.
    from tools.core.queues import depth

    sqs = state.client("sqs")
    depths = {label: depth(sqs, state.outputs[output]) for output, label in QUEUES.items()}
    return {label: {"waiting": it.visible, "in_flight": it.in_flight} for label, it in depths.items()}


def _tables(state: StackState) -> dict[str, int]:
    dynamodb = state.client("dynamodb")
    return {
        label: dynamodb.describe_table(TableName=state.outputs[output])["Table"]["ItemCount"]
        for output, label in TABLES.items()
    }
